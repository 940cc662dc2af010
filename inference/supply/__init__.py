"""Supply chain of models: signed manifests, advice on pickles, and loading of tensors only."""
