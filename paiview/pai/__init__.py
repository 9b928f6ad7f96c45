"""The wire: signed requests to the PAI model registry, and what comes back as objects or as one family of errors."""

from paiview.pai.client import Client
from paiview.pai.credentials import Credential, CredentialSource, StaticCredentials, from_chain
from paiview.pai.errors import PaiviewError, ServiceError
from paiview.pai.objects import Dataset, Model, ModelFilters, ModelVersion, VersionFilters, Workspace
from paiview.pai.paging import Listing, Page, Progress

__all__ = [
    "Client",
    "Credential",
    "CredentialSource",
    "Dataset",
    "Listing",
    "Model",
    "ModelFilters",
    "ModelVersion",
    "Page",
    "PaiviewError",
    "Progress",
    "ServiceError",
    "StaticCredentials",
    "VersionFilters",
    "Workspace",
    "from_chain",
]
