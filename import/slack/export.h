/*
 * One or several Slack exports as one workspace: the lists are read (first pass), the day files are
 * counted per conversation so that the second pass (day.h) knows when a conversation is complete.
 */
#ifndef IMPORT_SLACK_EXPORT_H
#define IMPORT_SLACK_EXPORT_H

#include "common/base/err.h"
#include "import/slack/conv.h"
#include "import/slack/person.h"

struct slack_source {
	char *path;
	struct ark_str root;     /* folder inside the archive where the export starts: "" or "name/" */
	uint64_t day_files;
	uint64_t entries;
	uint64_t unsafe_names;   /* entries whose name is no place to trust */
	uint64_t bad_entries;    /* headers that could not be read */
	uint64_t other_files;    /* neither lists nor day files: integration logs, uploads, ... */
	uint64_t body_files;     /* of these: file bodies (body.h) */
	uint64_t avatar_files;   /* and pictures of people */
	uint64_t list_damage;    /* entries of the lists that could not be read */
	bool has_users;
	bool grid;               /* of a whole organisation: workspaces below teams/ (grid.h) */
	char last_day[11];       /* "2024-05-01": name of the newest day file; only with several archives */
	int64_t newest_us;       /* greatest message ts, known after the second pass */
};

/* Somebody in the list of users of a workspace. */
struct slack_listed {
	uint32_t person;
	uint32_t source;
	bool deleted, guest;   /* there */
};

/* A workspace of an organisation: a folder below teams/. */
struct slack_workspace {
	struct ark_str folder;
	struct ark_str scope;    /* "teams/<folder>/" */
	struct ark_str team;     /* its id, "T…", or none where nothing tells: see grid.h */
	struct slack_listed *people; /* each once, as the newest archive has them, behind slack_grid_settle */
	uint32_t people_count, people_cap;
	struct ark_map natives;  /* votes for its id: team_id of active members, */
	struct ark_map everybody; /* of all */
};

struct slack_export {
	struct slack_source *sources;
	uint32_t sources_count;
	struct slack_people people;
	struct slack_convs convs;
	bool grid;             /* an archive of an organisation is among them */
	struct slack_workspace *workspaces; /* numbered from 1: slack_conv.home - 1 is the index */
	uint32_t workspaces_count;
	struct ark_str org;    /* id of the organisation, "E…", or none */
	struct ark_map bodies; /* ids of files whose bodies the archives hold, to the last source that does */
	uint64_t day_files;
	uint64_t day_bytes; /* of their text, as the archives say it: for telling how far we are */
	struct ark_pool strings;
	/* told of each list entry that could not be read (may be NULL) */
	void (*on_damage)(void *ctx, uint32_t source, const char *file, uint64_t offset, uint64_t len,
	                  const char *why);
	void *on_damage_ctx;
};

void slack_export_init(struct slack_export *x);
void slack_export_release(struct slack_export *x);

/*
 * Read the lists of the archives or folders `paths`, whichever order they are given in: the oldest
 * first, so that what a newer one says wins.
 * FAIL: a path that is no archive (INPUT, MISSING), an archive without anything of an export (INPUT),
 * too many workspaces (LIMIT). STOP: read errors.
 */
enum ark_rc slack_export_open(struct slack_export *x, char *const *paths, uint32_t count,
                              struct ark_err *err);

/* What an entry is, by its name below the root; folder is written for ENTRY_DAY: "general", in the
 * export of an organisation "teams/acme/general" too. */
enum slack_entry_kind { ENTRY_OTHER, ENTRY_LIST, ENTRY_DAY, ENTRY_BODY, ENTRY_JUNK };
enum slack_entry_kind slack_entry_kind(struct ark_str name, const struct slack_source *source,
                                       struct ark_str *folder);

#endif
