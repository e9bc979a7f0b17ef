"""Why a file of memberships is refused as a whole; what is wrong with a row is in texts/imports."""

from app.problem import Problem


class FileTooLarge(Problem):
    """The file is larger than an import takes."""

    status, code = 413, "import.file_too_large"


class FormatUnsupported(Problem):
    """The bytes are of no kind that an import reads, whatever the name says."""

    status, code = 415, "import.format_unsupported"


class NoRows(Problem):
    """There is nothing below the headings, or nothing at all."""

    status, code = 422, "import.no_rows"


class HeadingsMissing(Problem):
    """The first row is a person already, and not the headings of columns."""

    status, code = 422, "import.headings_missing"


class TooManyColumns(Problem):
    """There are more columns than an import takes."""

    status, code = 422, "import.too_many_columns"


class TooManyRows(Problem):
    """There are more rows than an import takes."""

    status, code = 422, "import.too_many_rows"


class EncodingUnknown(Problem):
    """The bytes are text in none of the encodings that are read."""

    status, code = 422, "import.encoding_unknown"


class EncodingMixed(Problem):
    """Parts of the file are UTF-8 and other parts are not; either reading would spoil names."""

    status, code = 422, "import.encoding_mixed"


class QuotesUnclosed(Problem):
    """A quotation mark opens and does not close where a cell ends; `row` says where."""

    status, code = 422, "import.quotes_unclosed"


class ArchiveTooLarge(Problem):
    """The workbook would unpack to more than an import takes."""

    status, code = 422, "import.archive_too_large"


class WorkbookUnreadable(Problem):
    """The workbook is damaged, or not made as workbooks are."""

    status, code = 422, "import.workbook_unreadable"


class WorkbookEncrypted(Problem):
    """The workbook is protected by a password."""

    status, code = 422, "import.workbook_encrypted"


class DeclarationRefused(Problem):
    """The workbook declares entities, which spreadsheets do not and attacks do."""

    status, code = 422, "import.declaration_refused"


class SheetUnknown(Problem):
    """The workbook has no sheet of that name."""

    status, code = 422, "import.sheet_unknown"


class JsonUnreadable(Problem):
    """The file is not an array of objects, nor one object on each line; `row` says where."""

    status, code = 422, "import.json_unreadable"


class MappingUnfit(Problem):
    """The mapping does not fit the file; `errors` says where."""

    status, code = 422, "import.mapping_unfit"
