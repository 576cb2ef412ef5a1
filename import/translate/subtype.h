/*
 * The subtypes of Slack messages and what becomes of each: one table.
 *
 * Fact  docs/slack-quirks.md "Subtypes"; fixtures/slack/subtypes-all
 */
#ifndef IMPORT_TRANSLATE_SUBTYPE_H
#define IMPORT_TRANSLATE_SUBTYPE_H

#include "common/base/str.h"
#include "import/translate/record.h"
#include "import/translate/skip.h"

enum subtype_rule {
	RULE_TEXT,      /* an ordinary post with the converted body */
	RULE_BOT,       /* the same, written by an integration */
	RULE_EVENT,     /* a system post of `event` */
	RULE_SKIP,      /* left out, counted as `skip` */
	RULE_TOMBSTONE, /* placeholder, only if it has replies */
	RULE_REPLY_BROADCAST,
	RULE_FILE_SHARE,
	RULE_FILE_COMMENT,
	RULE_HUDDLE,
};

struct subtype {
	struct ark_str name;
	enum subtype_rule rule;
	enum record_event event;
	enum skip_reason skip;
};

/* The row for a subtype; unknown ones and none at all get RULE_TEXT. Never NULL. */
const struct subtype *subtype_find(struct ark_str name);

#endif
