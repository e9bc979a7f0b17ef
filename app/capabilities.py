"""The capabilities: everything that one may be let do, and of which kind each is.

A capability is the word in the permission table, in OpenAPI, in the scope of a token and in the
test matrix. Code asks for a capability, never for a position; which position gives it is data.
"""

from enum import StrEnum


class Capability(StrEnum):
    """Everything that one may be let do; texts/<language>/capabilities.toml says what it is."""

    COMMUNITIES_READ = "communities:read"
    COMMUNITIES_UPDATE = "communities:update"
    COMMUNITIES_MANAGE = "communities:manage"
    PROPOSALS_SUBMIT = "proposals:submit"
    PROPOSALS_DECIDE = "proposals:decide"
    JOIN_REQUESTS_SUBMIT = "join_requests:submit"
    JOIN_REQUESTS_READ = "join_requests:read"
    JOIN_REQUESTS_DECIDE = "join_requests:decide"
    ELIGIBILITY_VERIFY = "eligibility:verify"
    MEMBERSHIPS_READ = "memberships:read"
    MEMBERSHIPS_READ_PRIVATE = "memberships:read_private"
    MEMBERSHIPS_MANAGE = "memberships:manage"
    MEMBERSHIPS_IMPORT = "memberships:import"
    MEMBERSHIPS_EXPORT = "memberships:export"
    LEADERSHIP_READ = "leadership:read"
    LEADERSHIP_READ_HISTORY = "leadership:read_history"
    LEADERSHIP_APPOINT = "leadership:appoint"
    LEADERSHIP_ACT = "leadership:act"
    ELECTIONS_MANAGE = "elections:manage"
    ELECTIONS_VOTE = "elections:vote"
    SUCCESSION_MANAGE = "succession:manage"
    RULES_READ = "rules:read"
    RULES_PUBLISH = "rules:publish"
    DISCUSSIONS_READ = "discussions:read"
    DISCUSSIONS_START = "discussions:start"
    POSTS_WRITE = "posts:write"
    POSTS_REPORT = "posts:report"
    POSTS_MODERATE = "posts:moderate"
    SANCTIONS_WARN = "sanctions:warn"
    SANCTIONS_SUSPEND = "sanctions:suspend"
    SANCTIONS_REMOVE = "sanctions:remove"
    APPEALS_DECIDE = "appeals:decide"
    MEETINGS_READ = "meetings:read"
    MEETINGS_MANAGE = "meetings:manage"
    MINUTES_WRITE = "minutes:write"
    MINUTES_APPROVE = "minutes:approve"
    EVENTS_READ = "events:read"
    EVENTS_MANAGE = "events:manage"
    NEEDS_SUBMIT = "needs:submit"
    NEEDS_MANAGE = "needs:manage"
    RESOURCES_READ = "resources:read"
    RESOURCES_SUBMIT = "resources:submit"
    RESOURCES_PUBLISH = "resources:publish"
    ADVOCACY_MANAGE = "advocacy:manage"
    ADVOCACY_ENDORSE = "advocacy:endorse"
    ASSISTANCE_SUBMIT = "assistance:submit"
    ASSISTANCE_MANAGE = "assistance:manage"
    INSIGHTS_READ = "insights:read"
    AUDIT_READ = "audit:read"
    PARTNERS_MANAGE = "partners:manage"
    PEOPLE_MANAGE = "people:manage"
    ASSOCIATION_MANAGE = "association:manage"
    LEADERSHIP_OVERSEE = "leadership:oversee"
    GRANTS_MANAGE = "grants:manage"


# Grantees that are not positions.
PUBLIC, ACCOUNT, MEMBER = "public", "account", "member"
BASE_GRANTEES = (PUBLIC, ACCOUNT, MEMBER)

# What may be given to people who do not belong; everything else is private and has that ceiling.
OPEN_TO_ALL = frozenset(
    {
        Capability.COMMUNITIES_READ,
        Capability.PROPOSALS_SUBMIT,
        Capability.JOIN_REQUESTS_SUBMIT,
        Capability.LEADERSHIP_READ,
        Capability.RULES_READ,
        Capability.EVENTS_READ,
        Capability.ASSISTANCE_SUBMIT,
    }
)

# What is said and kept inside a community. In a restricted one it is for its verified members
# alone, whatever position in the association somebody holds.
CONTENT = frozenset(
    {
        Capability.DISCUSSIONS_READ,
        Capability.DISCUSSIONS_START,
        Capability.POSTS_WRITE,
        Capability.POSTS_REPORT,
        Capability.POSTS_MODERATE,
        Capability.MEETINGS_READ,
        Capability.MEETINGS_MANAGE,
        Capability.MINUTES_WRITE,
        Capability.MINUTES_APPROVE,
        Capability.NEEDS_SUBMIT,
        Capability.NEEDS_MANAGE,
        Capability.RESOURCES_READ,
        Capability.RESOURCES_SUBMIT,
        Capability.RESOURCES_PUBLISH,
        Capability.ELECTIONS_MANAGE,
        Capability.ELECTIONS_VOTE,
    }
)

# Taking part is an express agreement to keep the rules: these need the version in force.
TAKING_PART = frozenset(
    {
        Capability.DISCUSSIONS_START,
        Capability.POSTS_WRITE,
        Capability.ELECTIONS_VOTE,
        Capability.NEEDS_SUBMIT,
        Capability.RESOURCES_SUBMIT,
    }
)

# What outsiders may see even of a restricted community: its entry, its seats, how to ask.
FRONT_OF_RESTRICTED = frozenset(
    {
        Capability.COMMUNITIES_READ,
        Capability.LEADERSHIP_READ,
        Capability.JOIN_REQUESTS_SUBMIT,
    }
)

# What machines of partner organisations may be given at most, whoever gives it: to read what the
# association publishes, to keep memberships and events in step with a system of the partner's, and
# to look on (insights, the log). Left out is all that takes part (posts, votes, requests), all that
# decides about people (requests, reviews, sanctions, terms, grants, accounts), and whatever is said
# and kept inside a community: members write it for each other, and no machine is a member.
MACHINES = frozenset(
    {
        Capability.COMMUNITIES_READ,
        Capability.RULES_READ,
        Capability.LEADERSHIP_READ,
        Capability.MEMBERSHIPS_READ,
        Capability.MEMBERSHIPS_READ_PRIVATE,
        Capability.MEMBERSHIPS_MANAGE,
        Capability.MEMBERSHIPS_IMPORT,
        Capability.MEMBERSHIPS_EXPORT,
        Capability.EVENTS_READ,
        Capability.EVENTS_MANAGE,
        Capability.INSIGHTS_READ,
        Capability.AUDIT_READ,
    }
)

# What only looks. Where such a word stands before an act, the act is the person's own (to resign,
# to accept a nomination, to consent), and no token does it for them.
READING = frozenset(
    {capability for capability in Capability if capability.partition(":")[2].startswith("read")}
)
