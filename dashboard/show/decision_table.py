"""Decisions in a list."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO

from markupsafe import Markup
from PIL import Image as Pillow

from dashboard.show import markup, words
from dashboard.show.markup import Column, Tone
from detectors.parsing import Image
from detectors.patches.patches import PatchError
from detectors.perturbations.signatures import SignatureError
from store.decisions.pictures.listed_patches import patch_of
from store.decisions.pictures.listed_perturbations import signature_of
from store.decisions.proposals import Proposal
from store.decisions.scopes import CLIENT_SCOPES, Kind, Scope
from store.decisions.similar_pictures import SimilarPicture
from store.pages.decision_views import DecisionView


def decision_table(decisions: Sequence[DecisionView], now: datetime) -> None:
    """One line per decision with what became of it."""
    markup.table(
        [
            Column("Decision"),
            Column("About"),
            Column("Reason"),
            Column("Made", "nowrap"),
            Column("State"),
        ],
        [
            (
                kind_badges(decision),
                about(decision),
                reason(decision),
                describe_creation(decision),
                _state(decision, now),
            )
            for decision in decisions
        ],
    )


def kind_badges(decision: DecisionView) -> Markup:
    """Block or allow, and whether it is only simulated."""
    block = decision.kind is Kind.BLOCK
    kind = markup.badge("⊘ Block" if block else "✓ Allow", Tone.BAD if block else Tone.GOOD)
    if not decision.simulated:
        return kind
    return markup.badges(kind, markup.badge("Simulated", Tone.NONE))


def about(decision: DecisionView) -> Markup:
    """The client, the network, what is looked for, or the beginning of the picture's digest."""
    if decision.scope in CLIENT_SCOPES:
        return markup.client_link(decision.value)
    if decision.scope is Scope.NETWORK:
        return markup.join(("Network", markup.code(decision.value)))
    digest = markup.code(words.short(decision.value))
    if decision.scope is Scope.PATCH:
        name = markup.span(markup.stack("Patch", digest), "")
        return markup.span(markup.join((*_patch(decision), name)), "mw-patch")
    if decision.scope is Scope.PERTURBATION:
        name = markup.span(markup.stack("Perturbation", digest), "")
        return markup.span(markup.join((*_perturbation(decision), name)), "mw-patch")
    if decision.scope is Scope.SIMILAR:
        radius = SimilarPicture.read(decision.value).radius
        return markup.join(("Pictures like", digest, markup.quiet(f"up to {radius} bits")))
    return markup.join(("Picture", digest))


def _patch(decision: DecisionView) -> tuple[Markup, ...]:
    """What a blocked patch looks like; nothing if its decision does not say."""
    try:
        patch, _ = patch_of(decision.evidence)
    except PatchError:
        return ()
    return (_thumbnail(patch.pixels, "The blocked patch"),)


def _perturbation(decision: DecisionView) -> tuple[Markup, ...]:
    """The noise of a blocked perturbation around grey; nothing if its decision does not say."""
    try:
        signature, _ = signature_of(decision.evidence)
    except SignatureError:
        return ()
    return (_thumbnail(signature.draw(), "The blocked perturbation"),)


def _thumbnail(pixels: Image, what: str) -> Markup:
    png = BytesIO()
    Pillow.fromarray(pixels).save(png, "PNG")
    return markup.thumbnail(png.getvalue(), what)


def reason(decision: DecisionView | Proposal) -> Markup:
    """Why, by which scenario, and of which family."""
    scenario = words.label(decision.scenario)
    if decision.family is None:
        return markup.stack(decision.reason, scenario)
    family = markup.family_link(decision.family)
    return markup.stack(decision.reason, markup.join((scenario, family), " · "))


def describe_creation(decision: DecisionView) -> Markup:
    """When and by whom."""
    return markup.stack(words.utc(decision.created_at), f"by {decision.created_by}")


def _state(decision: DecisionView, now: datetime) -> Markup:
    if decision.active(now):
        until = f"until {words.utc(decision.until)}"
        return markup.stack(markup.badge("Active", Tone.INFO), until)
    if decision.revoked_at is None:
        return markup.stack(markup.badge("Expired", Tone.NONE), words.utc(decision.until))
    who = f"{words.utc(decision.revoked_at)} by {decision.revoked_by}: {decision.revoked_reason}"
    return markup.stack(markup.badge("Revoked", Tone.NONE), who)
