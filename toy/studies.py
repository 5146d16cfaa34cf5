"""The studies of this room by name: declared in their files, and imported when they are used."""

from lab.study import declared_studies

MODEL = None
STUDIES: dict[str, str] = declared_studies("toy")
