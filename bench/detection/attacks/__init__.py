"""The attacks of the protocol by name; another module adds its own to :data:`ATTACKS`."""

from bench.detection.attacks.adaptive import adaptive_attacks
from bench.detection.attacks.base import Attack
from bench.detection.attacks.colour import colour_attack
from bench.detection.attacks.gradient import gradient_attacks
from bench.detection.attacks.lasting import lasting_attacks
from bench.detection.attacks.minimal import minimal_attacks
from bench.detection.attacks.patch import patch_attack
from bench.detection.attacks.placed_patch import placed_patch_attacks
from bench.detection.attacks.removal import removal_attacks
from bench.detection.attacks.universal import Universal, low_frequency_universal

_ALL: tuple[Attack, ...] = (
    *gradient_attacks(),
    *removal_attacks(),
    *minimal_attacks(),
    patch_attack(),
    Universal(),
    low_frequency_universal(),
    *lasting_attacks(),
    *placed_patch_attacks(),
    colour_attack(),
)
ATTACKS: dict[str, Attack] = {attack.name: attack for attack in _ALL}
ADAPTIVE: dict[str, Attack] = {attack.name: attack for attack in adaptive_attacks()}
