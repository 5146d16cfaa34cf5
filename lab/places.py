"""Checks of names and folders that a user gives, before anything is computed."""

from pathlib import Path

from lab.errors import ArgumentError

PICTURES = (".svg", ".pdf", ".png")
LONGEST = 120  # bytes of a name, which leaves room for additions to file names of at most 255


def plain_name(name: str, what: str = "name") -> str:
    """The name, if it is valid for a folder or table in the run store, and cannot lead outside it.

    Raises
    ------
    ArgumentError
        If it is empty or too long, begins with a dot or a dash, contains path separators or unprintable characters, or is
        ``tables``, where the store keeps its tables.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"a {what} is a text, not {name!r}")
    shown = repr(name if len(name) <= 40 else name[:40] + "…")
    if not name or name != name.strip() or not name.isprintable() or set("/\\") & set(name):
        raise ArgumentError(f"the {what} {shown} is not a plain name: letters, digits and signs other than / and \\")
    if name[0] in ".-":
        raise ArgumentError(f"the {what} {shown} begins with {name[0]!r}: choose one that begins with a letter or a digit")
    if len(name.encode()) > LONGEST:
        raise ArgumentError(f"the {what} {shown} is too long: at most {LONGEST} bytes")
    if name == "tables":
        raise ArgumentError(f"the {what} 'tables' is taken: the run store keeps its tables there")
    return name


def usable_folder(path: str | Path) -> str | Path:
    """The path unchanged, if it is a folder, or can become one because no file is in the way.

    Raises
    ------
    ArgumentError
        If it is empty, or if it or one of its parents is a file.
    """
    if not str(path):
        raise ArgumentError("the name of a folder is empty")
    try:
        for part in (Path(path), *Path(path).parents):
            if part.is_dir():
                break
            if part.exists() or part.is_symlink():
                raise ArgumentError(f"{part} is a file, not a folder: choose another folder, or move that file away")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be a folder: {error.strerror}") from None
    return path


def picture_file(path: str) -> str:
    """The path unchanged, if a picture can be written there.

    Raises
    ------
    ArgumentError
        If its ending is not one of :data:`PICTURES`, it is a folder, or its folder is a file.
    """
    if Path(path).suffix.lower() not in PICTURES:
        raise ArgumentError(f"{path!r} is not the name of a picture: it must end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")
    if Path(path).is_dir():
        raise ArgumentError(f"{path} is a folder: name a file in it")
    usable_folder(Path(path).parent)
    return path
