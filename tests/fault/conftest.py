"""Fixtures of the attacks."""

import pytest

from victims import VICTIMS, Keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def listen(weft):
    """listen (NAME, keys or None, options ...) is a Place, with its authorised peer."""
    places = []

    def start(name, *arguments, **options):
        place = VICTIMS[name](weft, *arguments, **options)
        places.append(place)
        return place
    yield start
    for place in places:
        place.end()


@pytest.fixture(params=["rep", "pull", "pub", "head"])
def name(request):
    return request.param


@pytest.fixture(params=["keys", "clear"])
def keys_or_none(request, keys):
    return keys if request.param == "keys" else None
