"""The studies of this room, by name; found in their files, and imported only when they are asked for."""

from lab.study import declared_studies

MODEL = None
STUDIES: dict[str, str] = declared_studies("toy")
