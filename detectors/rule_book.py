"""Every rule there is. What the gate looks at comes first, then what the parse is judged by."""

from detectors.findings import Rule, Severity

# A file that may be meant to run somewhere else attacks the software; an odd picture, the model.
_EXPLOIT, _CRAFTED, _EVADE, _DENIAL = "AML.T0049", "AML.T0043", "AML.T0015", "AML.T0029"
_SEARCH = "AML.T0043.001"
_INPUT = "ML01:2023"
_BACKDOOR, _POISONED = "AML.T0043.004", "ML10:2023"

TYPE_MISMATCH = Rule(
    "declared_type_differs",
    Severity.ODD,
    "The declared media type is not the type of the file's content.",
    _CRAFTED,
    _INPUT,
)
NAME_MISMATCH = Rule(
    "file_name_differs",
    Severity.ODD,
    "The file's name ends like a program, a document or a picture of another type.",
    _CRAFTED,
    _INPUT,
)
SEVERAL_FRAMES = Rule(
    "several_frames",
    Severity.ODD,
    "The file holds several pictures; only the first one was looked at.",
    _CRAFTED,
    _INPUT,
)
END_MISSING = Rule(
    "end_missing",
    Severity.ODD,
    "The file lacks its end: all of its pixels could be decoded, or all but a tenth of a JPEG.",
    _CRAFTED,
    _INPUT,
)
PROFILE_UNUSABLE = Rule(
    "profile_unusable",
    Severity.ODD,
    "The colour profile is damaged or made for other colours; it was left out.",
    _EXPLOIT,
    _INPUT,
)
EXIF_UNUSABLE = Rule(
    "exif_unusable",
    Severity.ODD,
    "The Exif data are damaged: the picture was not turned, for they do not say how.",
    _EXPLOIT,
    _INPUT,
)
MADE_SMALLER = Rule(
    "made_smaller",
    Severity.ODD,
    "The picture has more pixels than are looked at: its sides were divided, also in the answer.",
    _CRAFTED,
    _INPUT,
)
CHECKSUM_DIFFERS = Rule(
    "checksum_differs",
    Severity.ODD,
    "A piece of the file that is not needed for the pixels is damaged; it was left out.",
    _EXPLOIT,
    _INPUT,
)
TRAILING_NOTE = Rule(
    "trailing_note",
    Severity.ODD,
    "Behind the picture's end stand a few bytes or filling that no known camera puts there.",
    _EXPLOIT,
    _INPUT,
)
TRAILING_DATA = Rule(
    "trailing_data",
    Severity.SUSPECT,
    "Behind the picture's end the file goes on, with nothing that cameras put there.",
    _EXPLOIT,
    _INPUT,
)
POLYGLOT = Rule(
    "polyglot",
    Severity.SUSPECT,
    "The file is also a document, an archive or a program.",
    _EXPLOIT,
    _INPUT,
)
SCRIPT_IN_METADATA = Rule(
    "script_in_metadata",
    Severity.SUSPECT,
    "The file contains program text, most likely in its metadata.",
    _EXPLOIT,
    _INPUT,
)
BLANK_PICTURE = Rule(
    "blank_picture",
    Severity.SUSPECT,
    "The picture is blank: it has hardly any grey levels.",
    _DENIAL,
    _INPUT,
)
FLAT_PICTURE = Rule(
    "flat_picture",
    Severity.SUSPECT,
    "The picture is drawn and not photographed: nearly all of it is perfectly flat.",
    _CRAFTED,
    _INPUT,
)
NOISE_PICTURE = Rule(
    "noise_picture",
    Severity.SUSPECT,
    "The picture is noise: its energy lies at the highest frequencies.",
    _CRAFTED,
    _INPUT,
)

GATE_RULES: tuple[Rule, ...] = (
    TYPE_MISMATCH,
    NAME_MISMATCH,
    SEVERAL_FRAMES,
    END_MISSING,
    PROFILE_UNUSABLE,
    EXIF_UNUSABLE,
    MADE_SMALLER,
    CHECKSUM_DIFFERS,
    TRAILING_NOTE,
    TRAILING_DATA,
    POLYGLOT,
    SCRIPT_IN_METADATA,
    BLANK_PICTURE,
    FLAT_PICTURE,
    NOISE_PICTURE,
)

NO_PERSON = Rule(
    "no_person_found",
    Severity.ODD,
    "The model found no person in the picture.",
    _EVADE,
    _INPUT,
)
SKIN_SHARE_LOW = Rule(
    "skin_share_too_low",
    Severity.ODD,
    "A person shows almost no face, arms or legs.",
    _EVADE,
    _INPUT,
)
TROUSERS_WITHOUT_FEET = Rule(
    "trousers_without_feet",
    Severity.BAD,
    "A person's trousers end in the air: no foot or leg touches them.",
    _EVADE,
    _INPUT,
)

HEADLESS_BODY = Rule(
    "headless_body",
    Severity.ODD,
    "A person has no head, though the picture does not end there.",
    _EVADE,
    _INPUT,
)
FACELESS_HEAD = Rule(
    "faceless_head",
    Severity.ODD,
    "A person's head shows hair and no face: seen from behind, or the face was hidden.",
    _EVADE,
    _INPUT,
)
FACE_HIDDEN = Rule(
    "face_hidden",
    Severity.BAD,
    "A face is seen where the parse has none: it shows nobody, or a person almost without skin.",
    _EVADE,
    _INPUT,
)
ADVERSARIAL_PICTURE = Rule(
    "adversarial_picture",
    Severity.SUSPECT,
    "The picture looks made to mislead the model.",
    _CRAFTED,
    _INPUT,
)
PROBING_SEQUENCE = Rule(
    "probing_sequence",
    Severity.SUSPECT,
    "Recent pictures differ from this one as the queries of a search for an attack do.",
    _SEARCH,
    _INPUT,
)
OUTLIER_TRAFFIC = Rule(
    "outlier_traffic",
    Severity.ODD,
    "The promoted outlier model finds the request unlike what normal traffic sends.",
    _CRAFTED,
    _INPUT,
)
TRIGGER_SUSPECTED = Rule(
    "trigger_suspected",
    Severity.SUSPECT,
    "A small part of the picture makes something elsewhere vanish from the parse.",
    _BACKDOOR,
    _POISONED,
)
BLOCKED_PATCH = Rule(
    "blocked_patch",
    Severity.BAD,
    "The picture shows a patch that is on the blacklist.",
    _BACKDOOR,
    _POISONED,
)
BLOCKED_PERTURBATION = Rule(
    "blocked_perturbation",
    Severity.BAD,
    "A perturbation that is on the blacklist lies over the picture.",
    _CRAFTED,
    _INPUT,
)
BLOCKED_PICTURE = Rule(
    "blocked_picture",
    Severity.BAD,
    "The picture looks like one that is on the blacklist.",
    _CRAFTED,
    _INPUT,
)

RULES: tuple[Rule, ...] = (
    *GATE_RULES,
    NO_PERSON,
    SKIN_SHARE_LOW,
    TROUSERS_WITHOUT_FEET,
    HEADLESS_BODY,
    FACELESS_HEAD,
    FACE_HIDDEN,
    ADVERSARIAL_PICTURE,
    PROBING_SEQUENCE,
    OUTLIER_TRAFFIC,
    TRIGGER_SUSPECTED,
    BLOCKED_PATCH,
    BLOCKED_PERTURBATION,
    BLOCKED_PICTURE,
)
_BY_CODE = {rule.code: rule for rule in RULES}


def find_rule(code: str) -> Rule:
    """The rule of a stored code.

    Raises:
        KeyError: no rule has that code.
    """
    return _BY_CODE[code]
