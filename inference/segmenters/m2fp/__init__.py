"""ModelScope's M2FP (Yang et al., 2023, arXiv:2301.00394) on today's torch.

ModelScope builds the network and owns its parameters; what runs on each request is ours: fused
convolutions, a deformable attention that gathers rows, masks at full size for few queries only.
"""
