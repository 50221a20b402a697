"""Names for runs that were given none, such as ``amber-heron-417``."""

from __future__ import annotations

import secrets

__all__ = ["random_run_name"]

_ADJECTIVES = (
    "agile amber ample ardent austere azure bold brave brief bright brisk calm candid civil clear clever cobalt "
    "cordial crisp curious daring deft dapper eager early elder even fair fervent fine fleet fluent frank fresh "
    "gentle genial glad golden grand hardy hazel honest humble ivory jade jolly keen kind lasting light limpid lively "
    "lucid lunar mellow merry mild modest native neat nimble noble olive opal patient placid plain polite prime "
    "prudent quick quiet rapid ready regal robust rosy royal rustic sage serene sharp silent silver sincere sleek "
    "smooth solar solid sound spry stable stark steady stoic suave subtle sunny swift tawny tidy tranquil true upbeat "
    "valiant velvet vivid warm wise witty zesty"
).split()
_NOUNS = (
    "alder aspen badger beaver birch bison bream cairn cedar chough cliff comet condor coral crane curlew delta dune "
    "eagle egret ember falcon fern finch fjord fox gannet glade glen granite grebe grove hare harbor hawk heath heron "
    "ibis isle ivy jay juniper kestrel kite lagoon larch lark ledge lichen linnet loch lynx maple marlin marten "
    "meadow merlin mesa moor moss newt oak orchid oriole osprey otter owl peak pebble petrel pine plover poplar quail "
    "quarry raven reef ridge river robin rowan sable salmon seal shale shore slate sorrel spruce stoat stone stork "
    "summit swallow swan swift tarn teal tern thistle thrush tide trout vale vole walnut warbler willow wolf wren yew"
).split()


def random_run_name() -> str:
    """An adjective, a noun and a number from 0 to 999, at most 20 characters."""
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{secrets.randbelow(1000)}"
