"""What the tables and figures of a page are made of: one listing of a model, and what its numbers mean."""

from collections.abc import Mapping
from dataclasses import dataclass

from paiview.decisions.contracts import Contracts
from paiview.evaluation.frames import Frames
from paiview.ui.cache_keys import key_of


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ModelData:
    """A listing with the names and meanings that a page shows it with; a page makes it once.

    A function that Streamlit caches takes it whole, with ``hash_funcs={ModelData: ModelData.key}``.

    Attributes:
        identity: the identity of the snapshot that ``frames`` were built from.
        frames: the versions and metrics of the listing.
        contracts: what metrics mean in this session.
        dataset_names: DatasetId to a name, where known.
    """

    identity: str
    frames: Frames
    contracts: Contracts
    dataset_names: Mapping[str, str]

    def key(self, *more: object) -> str:
        """The key of a cache for what is made of this and of ``more``, whose types ``key_of`` names."""
        return key_of(self.identity, self.contracts.fingerprint, tuple(self.dataset_names.items()), *more)
