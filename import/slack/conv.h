/*
 * The conversations of a workspace: channels.json, groups.json, mpims.json, dms.json, and folders
 * that stand in none of them. Indices are stable, pointers are not.
 *
 * Fact  docs/slack-quirks.md "Conversations"
 */
#ifndef IMPORT_SLACK_CONV_H
#define IMPORT_SLACK_CONV_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/map.h"
#include "common/base/numbers.h"
#include "common/base/pool.h"
#include "common/json/value.h"
#include "import/slack/person.h"

#define CONV_NONE UINT32_MAX

enum conv_kind {
	CONV_PUBLIC,
	CONV_PRIVATE,
	CONV_GROUP,   /* Slack's mpim */
	CONV_DIRECT,
	CONV_COMMENTS, /* folder "FC:…": comments on files and canvases; not imported, counted */
};

/* Which list an object stands in: decides its kind where its own flags are silent. */
enum conv_list { LIST_CHANNELS, LIST_GROUPS, LIST_MPIMS, LIST_DMS };

struct slack_conv {
	struct ark_str id;   /* "C…", "G…", "D…"; for a folder without an entry: "folder:<name>" */
	struct ark_str name; /* as Slack shows it; none for direct ones */
	enum conv_kind kind;
	bool listed, archived, general;
	int64_t created_ms;  /* 0: unknown */
	int64_t updated_ms;
	uint32_t creator;    /* person or PERSON_NONE */
	struct ark_str topic, purpose; /* mrkdwn */
	struct ark_numbers members; /* persons, each once; fewer than 64 in Slack's order, more in ours */
	int64_t *pins_us;    /* ts of pinned messages, sorted */
	uint32_t pins_count;
	uint32_t files_left; /* day files not yet read, over all archives */
	uint32_t files;
	uint32_t source;     /* the newest archive that has it */
	uint32_t target;     /* index of the Mattermost channel it goes to (load/target.h) */
	/* in the export of an organisation (grid.h): numbers of workspaces, 0 for none */
	uint32_t home;        /* the one it belongs to, as far as is known */
	uint32_t listed_home; /* of those whose lists name it, the first by folder; `listed_scope` its folder */
	uint32_t days_home;   /* the same of those below which its day files lie */
	struct ark_str listed_scope, days_scope;
	uint32_t last_lists;  /* whose lists named it last */
	bool shared;          /* lists of several workspaces name it: its members are all of theirs */
	bool days_at_root;    /* day files lie beside the workspaces */
	bool marked;          /* for slack_days_open_marked */
};

struct slack_convs {
	struct slack_conv *list;
	uint32_t count;
	uint32_t cap;
	uint32_t source;          /* archive that is being read: oldest first */
	struct ark_map by_id;
	struct ark_map by_folder; /* folder name to conversation */
	struct ark_pool strings;
	uint32_t folder_clashes;  /* two conversations that claim one folder */
	uint32_t workspace;       /* whose lists and folders are being read; 0: the export's own */
	struct ark_str scope;     /* "teams/<folder>/" of that one, or "" */
	bool scoped;              /* a workspace listed something */
};

void slack_convs_release(struct slack_convs *c);

/* One object of a list; a later one with the same id replaces names, flags and members (a newer
 * archive is read later). False when it has no id. Members become persons. */
bool slack_convs_add(struct slack_convs *c, struct slack_people *people, enum conv_list list,
                     struct json_val object);

/* The conversation of a folder; one that stands in no list is made: "D…" direct, "mpdm-…" group,
 * "FC…" comments, anything else a private channel (who could read it is unknown). A folder at the root of
 * an organisation may be that of a conversation which only the lists of workspaces name. */
uint32_t slack_convs_folder(struct slack_convs *c, struct ark_str folder);

/* Nobody asks for the members any more: they are most of what a large workspace's lists take. */
void slack_convs_drop_members(struct slack_convs *c);

/* By Slack id, or CONV_NONE. */
uint32_t slack_convs_find(const struct slack_convs *c, struct ark_str id);

bool slack_conv_is_pinned(const struct slack_conv *conv, int64_t ts_us);

#endif
