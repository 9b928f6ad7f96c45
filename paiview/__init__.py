"""paiview: the evaluation metrics of PAI model versions, compared before one is approved."""
