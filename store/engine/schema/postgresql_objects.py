"""What in a PostgreSQL database acts by itself: triggers, functions, rules, policies, defaults.

Only what belongs to Maskwatch's tables counts: other programs may have tables beside them, and an
administrator an index of his own.
"""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.tables.all_tables import METADATA

_ACTING = text(r"""
WITH RECURSIVE own AS (
    SELECT c.oid, c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(:tables)
  UNION
    SELECT i.inhrelid, p.relname FROM pg_inherits i
    JOIN own p ON p.oid = i.inhparent
)
SELECT 'trigger ' || t.tgname || ' on ' || o.relname,
       pg_get_triggerdef(t.oid, true) || ' ' || t.tgenabled::text
FROM pg_trigger t JOIN own o ON o.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT 'rule ' || r.rulename || ' on ' || o.relname, pg_get_ruledef(r.oid, true)
FROM pg_rewrite r JOIN own o ON o.oid = r.ev_class
UNION ALL
SELECT 'policy ' || p.polname || ' on ' || o.relname, p.polcmd::text
FROM pg_policy p JOIN own o ON o.oid = p.polrelid
UNION ALL
SELECT 'default of ' || o.relname || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN own o ON o.oid = d.adrelid
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
JOIN pg_class c ON c.oid = d.adrelid WHERE NOT c.relispartition
AND pg_get_expr(d.adbin, d.adrelid)
    <> format('nextval(%L::regclass)', o.relname || '_' || a.attname || '_seq')
UNION ALL
SELECT 'check ' || k.conname || ' on ' || o.relname, pg_get_constraintdef(k.oid, true)
FROM pg_constraint k JOIN own o ON o.oid = k.conrelid WHERE k.contype = 'c' AND k.coninhcount = 0
UNION ALL
SELECT 'computed index ' || c.relname || ' on ' || o.relname, pg_get_expr(i.indexprs, i.indrelid)
FROM pg_index i JOIN own o ON o.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indexprs IS NOT NULL AND NOT c.relispartition
UNION ALL
SELECT 'unique index ' || c.relname || ' on ' || o.relname, ''
FROM pg_index i JOIN own o ON o.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       pg_get_function_result(p.oid) || ' ' || p.prosecdef::text || ' '
       || coalesce(p.proconfig::text, '')
       || ' ' || p.prosrc
FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'maskwatch\_%'
""")


EXPECTED: Mapping[str, str] = {
    "trigger audit_no_change on audit": "30071ff8e92f7ddb",
    "trigger audit_no_truncate on audit": "ea461f2a3442d4dc",
    "function maskwatch_audit_is_append_only()": "e8de01e013ee8bc5",
    "function maskwatch_drop_day(day date)": "49f0c74a15fc1518",
    "function maskwatch_make_day(day date)": "481536b44c68e8bf",
}
"""What the newest revision has, as :func:`acting_objects` gives it. A migration that changes one of
them changes its digest here."""


def acting_objects(session: Session) -> Mapping[str, str]:
    """Each by its name, with a digest of what it is; the schema's name does not count."""
    here = session.scalar(text("SELECT current_schema()"))
    tables = [*METADATA.tables, "alembic_version"]
    rows = session.execute(_ACTING, {"tables": tables})
    return {name: _digest(definition, str(here)) for name, definition in rows}


def _digest(definition: str, schema: str) -> str:
    """Of the words of a definition: PostgreSQL's versions break lines differently."""
    words = definition.replace(f"'{schema}'", "SCHEMA").replace(f"{schema}.", "").split()
    words = ["SCHEMA" if word.strip('{"=,') == schema else word for word in words]
    return sha256(" ".join(words).encode()).hexdigest()[:16]
