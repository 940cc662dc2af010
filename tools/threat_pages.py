"""The reference pages about threats: rules, refusals, the gate."""

from detectors.evidence.kinds import MAX_CLEAN_SHARE, WEIGHTS, EvidenceKind, codes_of
from detectors.evidence.sums import MAX_CHANCE
from detectors.findings import ATLAS_VERSION, OWASP_VERSION, Rule
from detectors.rule_book import GATE_RULES, RULES
from inference.gate.policy import DEFAULT_ACTIONS
from inference.gate.refusals import GATE_REFUSALS, RULE_REFUSALS
from inference.refusals import OBSERVE_REFUSALS, PROXY_REFUSALS, REFUSALS, TOO_MANY_BYTES, Refusal
from tools.markdown import page, table


def rules_page() -> str:
    """Rules with their place in the threat catalogues."""
    parts = [
        "A rule that fires on a request is a finding. A `bad` finding makes the verdict `flag`,",
        "or `refuse` in the mode `enforce`. A `suspect` one makes it `flag` in both modes. An",
        "`odd` one is recorded and the request passes. What the rules of the gate do can be set:",
        "see [gate.md](gate.md).",
        "",
        f"MITRE ATLAS {ATLAS_VERSION}, OWASP Machine Learning Security Top 10 {OWASP_VERSION}.",
        "",
    ]
    rows = [(f"`{r.code}`", r.severity.value, r.sentence, r.atlas, r.owasp) for r in RULES]
    return page("Rules", parts + table(("Code", "Severity", "Meaning", "ATLAS", "OWASP"), rows))


def refusals_page() -> str:
    """Refusals with what is said outside."""
    parts = [
        "Every way in which a request is refused. The answer is a problem document (RFC 9457):",
        "its `type` is `urn:maskwatch:problem:` and the code, its `detail` is the sentence.",
        "The threat ids stay inside.",
        "",
        f"MITRE ATLAS {ATLAS_VERSION}, OWASP Machine Learning Security Top 10 {OWASP_VERSION}.",
        "",
    ]
    columns = ("Code", "Status", "Stage", "Sentence", "Retry-After", "ATLAS", "OWASP")
    others = (*REFUSALS, *PROXY_REFUSALS, *OBSERVE_REFUSALS)
    rows = [_refusal(refusal) for refusal in (*GATE_REFUSALS, *others)]
    return page("Refusals", parts + table(columns, rows))


def evidence_page() -> str:
    """Kinds of evidence with what they weigh, and the kind of every code."""
    parts = [
        "What each code says about the client that caused it. The block policy, the alert about an",
        "attacking client and the worst clients of the overview all weigh by this table.",
        "",
        "*Weight* is what one different file weighs; the same bytes count once. From the sum",
        "`MASKWATCH_BLOCK_AFTER` (3) on within `MASKWATCH_BLOCK_WINDOW_MINUTES` (60) the client is",
        "one to block. *Chance* is the share of an honest client's files that show it anyway: a",
        f"kind counts only if so many are less likely than {MAX_CHANCE:g} by it. Of outliers it is",
        "the share that the promoted model calls so. Of a flood, requests count and not files.",
        "Beside a `damaged` or a `hostile` file each different mistake counts once as another",
        "damaged one; without such a file mistakes weigh nothing, however many they are.",
        "*Scenario* is what a block by this kind is called, and turned on by:",
        "[scenarios](operations/blocks-and-keys.md#what-the-jobs-decide).",
        "",
    ]
    rows = [_kind(kind) for kind in EvidenceKind]
    return page("Evidence", parts + table(("Kind", "Weight", "Chance", "Scenario", "Codes"), rows))


def _kind(kind: EvidenceKind) -> tuple[str, ...]:
    codes = ", ".join(f"`{code}`" for code in codes_of(kind))
    if kind is EvidenceKind.DOUBTFUL:
        codes = f"`adversarial_picture` that more than {MAX_CLEAN_SHARE:g} of clean pictures reach"
    if kind not in WEIGHTS:
        return (f"`{kind.value}`", "0", "", "", codes)
    weight = WEIGHTS[kind]
    return (
        f"`{kind.value}`",
        f"{weight.weight:g}",
        f"{weight.chance:g}",
        f"`{weight.scenario}`",
        codes,
    )


def gate_page() -> str:
    """Everything that the gate can say of a file: limits, which always refuse, and rules."""
    parts = [
        "What the gate says of a file. A **limit** always refuses. A **rule** does what",
        "`MASKWATCH_GATE_RULES` says, else what stands under *Default*: `off`; `record`, and the",
        "request passes; `flag`, which never refuses; or `refuse`, with this table's status and",
        "sentence. Rules whose default is to flag fire on files that may be meant for more than to",
        "be looked at, and on pictures that are no photos. Ordinary photos fire none of them.",
        "",
        "The grey-level entropy and the other measures tell blank, drawn and noise pictures. They",
        "do not tell gradient attacks: on those, their AUROC is about 0.5.",
        "",
        f"MITRE ATLAS {ATLAS_VERSION}, OWASP Machine Learning Security Top 10 {OWASP_VERSION}.",
        "",
        "## Rules",
        "",
    ]
    of_rules = ("Code", "Default", "Meaning", "Status", "Sentence when refused", "ATLAS", "OWASP")
    parts += table(of_rules, [_gate_rule(rule) for rule in GATE_RULES])
    parts += ["", "## Limits", ""]
    of_limits = ("Code", "Status", "Sentence", "ATLAS", "OWASP")
    rows = [
        (f"`{r.code}`", str(r.status.value), r.sentence, r.atlas, r.owasp)
        for r in (TOO_MANY_BYTES, *GATE_REFUSALS)
    ]
    parts += table(of_limits, rows)
    parts += ["", "## Types", "", *_TYPES, "", "## Files of phones, cameras and tools", ""]
    parts += table(("What comes", "What becomes of it"), _FILES)
    return page("Gate", parts)


_TYPES = (
    "JPEG, PNG and WebP are taken; a file of another type gets 415 `unsupported_type`. The",
    "operator switches further ones on by naming all that are taken: for the AVIF files of phones",
    "`MASKWATCH_PICTURE_TYPES=image/jpeg,image/png,image/webp,image/avif`. Pillow decodes AVIF in",
    "the same sandbox and under the same limits as the others, and its boxes are searched. HEIC,",
    "which iPhones write unless they are asked for *Most Compatible*, cannot be switched on:",
    "[why not](decisions/0049-no-heic-for-now.md).",
)
_FILES = (
    ("a JPEG without its end marker, or that breaks off", "`end_missing` if at most a tenth of the "
     "picture or one row of blocks (16 pixels) is missing and all passes of a progressive one are "
     "there; what is missing is grey, as in browsers. Else `truncated`"),
    ("the same with a maker's trailer, a film or a preview behind it", "the same"),
    ("a PNG without its end chunk", "`end_missing` if all pixels are there, else `truncated`"),
    ("the same that breaks off in a text or other chunk that readers may do without",
     "`end_missing` and `checksum_differs`: the chunk is left out"),
    ("a WebP or AVIF that breaks off", "`truncated` or `unreadable`"),
    ("a wrong checksum in a chunk of a PNG that readers may do without (text, Exif, "
     "profile, gamma)", "the chunk is left out, as in browsers: `checksum_differs`"),
    ("a wrong checksum in a chunk that the picture needs", "`unreadable`"),
    ("trailers of Samsung, vivo, OPPO, OnePlus, Honor, Huawei, Canon, Nikon, Sony, Insta360, "
     "PhotoMechanic, FotoStation, AFCP, MIE; pieces that the picture's XMP announces (Google, "
     "Xiaomi); maps of depths; films of moving photos, with filler before them", "passes, no sign"),
    ("previews and gain maps behind the picture (MPF)",
     "`several_frames`; one that breaks off: no sign"),
    ("zeros, set bits, line ends or a second end marker behind the picture", "passes, no sign"),
    ("up to 4 KB of anything else behind the picture, or filling of one value", "`trailing_note`"),
    ("more of anything else behind the picture", "`trailing_data`"),
    ("archives, documents, programs or scripts in any of these",
     "`polyglot`, `script_in_metadata`"),
    ("photos of up to 66 million pixels",
     "over `MASKWATCH_MAX_DECODED_PIXELS` (25 million) decoded smaller: `made_smaller`"),
    ("panoramas and long screenshots with sides of up to 16,384 pixels", "the same"),
    ("photos of 100 or 200 million pixels", "`too_many_pixels`"),
    ("portraits with up to 20 MB of depths in their XMP", "passes, no sign"),
    ("a progressive JPEG whose passes visit more than 200 million pixels, and more than 500 for "
     "each byte", "`too_many_scans`"),
)  # fmt: skip


def _gate_rule(rule: Rule) -> tuple[str, ...]:
    refusal = RULE_REFUSALS[rule.code]
    return (
        f"`{rule.code}`",
        DEFAULT_ACTIONS[rule.code].value,
        rule.sentence,
        str(refusal.status.value),
        refusal.sentence,
        rule.atlas,
        rule.owasp,
    )


def _refusal(refusal: Refusal) -> tuple[str, ...]:
    seconds = refusal.retry_after_seconds
    return (
        f"`{refusal.code}`",
        str(refusal.status.value),
        refusal.stage.value,
        refusal.sentence,
        "" if seconds is None else f"{seconds} s",
        refusal.atlas,
        refusal.owasp,
    )
