"""What is learnt of the sources: the sample, baselines, phases and alarm budgets."""
