from inference.labels.label_table import LabelTable
from inference.upstream.answers.source_digest import digest_source
from tests.inference.upstream.answers.answer_cases import TABLE

URL = "http://10.0.0.1:5000/parse"


def test_it_depends_on_preset_labels_and_upstream_and_on_nothing_else() -> None:
    digest = digest_source("{}", TABLE, URL)
    assert digest == digest_source("{}", TABLE.model_copy(), URL)
    others = {
        digest_source('{"a": 1}', TABLE, URL),
        digest_source("{}", LabelTable(), URL),
        digest_source("{}", LabelTable(names=TABLE.names), URL),
        digest_source("{}", TABLE, "http://10.0.0.2:5000/parse"),
    }
    assert len(others | {digest}) == 5


def test_a_password_is_no_part_of_it() -> None:
    assert digest_source("{}", TABLE, URL) == digest_source(
        "{}", TABLE, "http://somebody:secret@10.0.0.1:5000/parse"
    )
