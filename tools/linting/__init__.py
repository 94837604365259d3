"""The rules of `make lint` that swift-format does not know; tools/lint.py runs them."""

from linting import arrows, banned, functions, text_rules

RULES = (
    arrows.check,
    banned.check,
    banned.check_reasons,
    functions.check,
    text_rules.check_size,
    text_rules.check_text,
    text_rules.check_todo,
    text_rules.check_paths,
    text_rules.check_migrations,
    text_rules.check_links,
    text_rules.check_scripts,
)
