"""All settings as they are declared: what greendns.toml, the commented sample and --help are made from. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, get_type_hints

from .settingkinds import Kind
from .settings import Config


@dataclass(frozen=True)
class Setting:
    """One setting as declared above; `kind` reads a value or raises ValueProblem."""

    section: str
    key: str
    kind: Kind
    default: Any
    reloadable: bool
    text: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def told(self) -> str:
        """What it is, and when a change of it takes effect."""
        return f"{self.text} {'A reload takes it.' if self.reloadable else 'Only a restart takes it.'}"

    @property
    def default_toml(self) -> str:
        """The default as TOML; its texts, numbers and lists are written as in JSON."""
        return json.dumps("" if self.default is None else self.default, default=str)

    def of(self, config: Config) -> Any:
        """Its value in `config`."""
        return getattr(getattr(config, self.section), self.key)


SECTIONS: dict[str, Any] = {
    name: declared for name, declared in get_type_hints(Config).items() if is_dataclass(declared)
}
SETTINGS: tuple[Setting, ...] = tuple(
    Setting(section, one.name, default=one.default, **one.metadata)
    for section, declared in SECTIONS.items()
    for one in fields(declared)
)
SETTING_OF = {setting.name: setting for setting in SETTINGS}


def settings_of(section: str) -> list[Setting]:
    return [setting for setting in SETTINGS if setting.section == section]


def restart_settings(config: Config) -> dict[str, Any]:
    """The values of the settings that a reload can't take, by name."""
    return {one.name: one.of(config) for one in SETTINGS if not one.reloadable}


def changed_restart_settings(old: Config, new: Config) -> list[str]:
    """The names of settings that differ and that a reload can't take."""
    return [one.name for one in SETTINGS if not one.reloadable and one.of(old) != one.of(new)]


def take_reloadable(current: Config, fresh: Config) -> Config:
    """What a reload puts in force: `fresh`, but with the settings of `current` that only a restart can change."""
    kept = {
        section: {one.key: one.of(current) for one in settings_of(section) if not one.reloadable}
        for section in SECTIONS
    }
    return replace(fresh, **{section: replace(getattr(fresh, section), **values) for section, values in kept.items()})
