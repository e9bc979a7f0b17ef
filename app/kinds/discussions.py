"""What can happen in discussions, and to what is said there."""

from app.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    "discussion.started": Kind("discussion", ("post_id",), says="a discussion was started"),
    "discussion.locked": Kind("discussion", says="a discussion was locked"),
    "discussion.unlocked": Kind("discussion", says="a discussion was opened again"),
    "post.written": Kind("post", ("discussion_id", "number"), says="a reply was written"),
    "post.edited": Kind("post", ("discussion_id",), says="an author edited a post"),
    "post.deleted": Kind("post", ("discussion_id",), says="an author deleted a post"),
    "post.reported": Kind(
        "review",
        ("post_id", "rule", "rules_version"),
        ("reviews_waiting",),
        says="a post was reported under a rule; by whom is shown to nobody",
        anonymous=True,
    ),
    "review.decided": Kind(
        "review",
        ("post_id", "action", "rule", "rules_version"),
        ("post_hidden",),
        says="a review was decided",
    ),
    "review.reversed": Kind(
        "review", ("post_id",), ("post_restored",), says="a decision was reversed"
    ),
}
