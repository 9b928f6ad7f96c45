"""The client of the PAI model registry: signed requests out; typed objects, or one family of errors, back."""
