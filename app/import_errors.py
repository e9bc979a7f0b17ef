"""Why a file of memberships is refused as a whole; what is wrong with a row is in texts/imports."""

from app.problem import Problem


class FormUnreadable(Problem):
    """The form in which the file comes is cut short or no form, or has a part without a name, or
    two of one."""

    status, code = 400, "import.form_unreadable"


class FileTooLarge(Problem):
    """The file is larger than an import takes."""

    status, code = 413, "import.file_too_large"


class FormatUnsupported(Problem):
    """The bytes are of no kind that an import reads, whatever the name says."""

    status, code = 415, "import.format_unsupported"


class MailboxOnlyAdds(Problem):
    """A mailbox is no list of members: nothing is changed by it, and nothing ends."""

    status, code = 422, "import.mailbox_only_adds"


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


class ExportTooLarge(Problem):
    """There are more memberships than a file is made of."""

    status, code = 422, "export.too_large"


class MappingUnfit(Problem):
    """The mapping does not fit the file; `errors` says where."""

    status, code = 422, "import.mapping_unfit"


# The import as a job


class RightEnded(Problem):
    """Whoever asked for the import may not import any more."""

    status, code = 409, "import.right_ended"


class PlanOutdated(Problem):
    """The world has moved under the plan; `rows` names those that would do something else now."""

    status, code = 409, "import.plan_outdated"


class RowsRefused(Problem):
    """Rows are refused, and the import is done as a whole or not at all."""

    status, code = 409, "import.rows_refused"


class EndingsExceedLimit(Problem):
    """The plan ends more memberships than was allowed, and nobody has said that it may."""

    status, code = 409, "import.endings_exceed_limit"


class NotInThisState(Problem):
    """This cannot be done with an import in this state; `import_status` says which it is."""

    status, code = 409, "import.not_in_this_state"


class FileErased(Problem):
    """The file and its rows are not kept any more."""

    status, code = 409, "import.file_erased"


class SourceRequired(Problem):
    """Bringing into step needs the name of the system with which."""

    status, code = 422, "import.source_required"


class TooManyImports(Problem):
    """So many imports wait already."""

    status, code = 409, "import.too_many"


class TooManyMappings(Problem):
    """So many mappings are kept already."""

    status, code = 409, "import_mapping.too_many"
