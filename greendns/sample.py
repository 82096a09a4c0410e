"""The settings as text: the commented sample, conf/greendns.toml, and what --help tells of them."""

from __future__ import annotations

import textwrap

from .settinglist import SECTIONS, SETTINGS, Setting, settings_of


def sample_toml() -> str:
    """The commented sample, conf/greendns.toml: every setting with its default."""
    head = "# The settings of GreenDNS, each with its default.\n# What is left out has its default.\n"
    return "\n".join([head, *(_sample_section(section) for section in SECTIONS)])


def _sample_section(section: str) -> str:
    return f"[{section}]\n" + "\n".join(_sample_setting(setting) for setting in settings_of(section))


def _sample_setting(setting: Setting) -> str:
    comment = textwrap.fill(setting.told, 100, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return f"{comment}\n{setting.key} = {setting.default_toml}\n"


def settings_help() -> str:
    """Every setting with its default and meaning, for --help."""
    return "\n".join(_help_setting(setting) for setting in SETTINGS)


def _help_setting(setting: Setting) -> str:
    indent = " " * 4
    meaning = textwrap.fill(setting.told, 100, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return f"{setting.name} = {setting.default_toml}\n{meaning}\n"
