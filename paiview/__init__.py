"""paiview: the evaluation metrics of PAI model versions, compared before one is approved."""

__version__ = "0.1.0"
