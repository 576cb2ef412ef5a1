/*
 * Snapshots of a repository: the small file that commits one, and the table of what is in it. Not for
 * the rows and file names themselves: walk.h.
 */
#ifndef ARK_REPO_SNAPSHOT_H
#define ARK_REPO_SNAPSHOT_H

#include "common/repo/repo.h"

#define REPO_SNAPSHOT_NAME 40 /* "20261124T153000Z-0a1b2c3d4e5f6071" with its NUL */
#define REPO_VERSION 16

/* snapshots/<name>: lines `key value`, the last one a checksum of the others. */
struct repo_snapshot {
	char name[REPO_SNAPSHOT_NAME];
	int64_t taken_ms;      /* the moment of the database's snapshot */
	int64_t finished_ms;
	char tool[REPO_VERSION];
	struct repo_id root;     /* list of everything it needs */
	struct repo_id contents; /* object: struct repo_contents */
	uint64_t tables, rows, row_bytes;
	uint64_t files, file_bytes;
	uint64_t missing;      /* files that rows name and that were not there */
	uint64_t added_bytes;  /* what it added to the repository */
	bool all_files;        /* taken with --all-files */
};

struct repo_snapshots {
	struct repo_snapshot *items; /* oldest first */
	size_t count;
};

/* FAIL: INPUT when one is damaged (the text names it); `bad` (may be NULL) then counts on instead. */
enum ark_rc repo_snapshots_read(struct repo *r, struct repo_snapshots *out, uint64_t *bad,
                                struct ark_err *err);
void repo_snapshots_release(struct repo_snapshots *s); /* also for ark_auto */
/* By name or the start of one; NULL: the newest. FAIL: MISSING, USAGE (several begin like that). */
enum ark_rc repo_snapshot_find(struct repo *r, const char *name, struct repo_snapshot *out,
                               struct ark_err *err);

/* The text of the file, and back. */
void repo_snapshot_write(const struct repo_snapshot *s, struct ark_buf *out);
enum ark_rc repo_snapshot_parse(struct ark_str text, const char *name, struct repo_snapshot *out,
                                struct ark_err *err);

/* --- what is in it ------------------------------------------------------------------------------- */

enum repo_part_kind {
	REPO_PART_TABLE,     /* rows of one table, as COPY text */
	REPO_PART_LARGE,     /* large objects: rows oid, position, bytea */
	REPO_PART_SCHEMA,    /* SQL: name is "pre-data", "post-data", or "owners" (ALTER ... OWNER TO, GRANT) */
	REPO_PART_SEQUENCE,  /* schema, name, last value, is_called */
	REPO_PART_REFRESH,   /* a materialised view, in the order in which they are refreshed */
	REPO_PART_FILES,     /* a list of files: name is "referenced", "mutable" or "other" */
	REPO_PART_CONFIG,    /* Mattermost's configuration, JSON; name is where it was found */
	REPO_PART_ENVIRON,   /* the MM_* variables that override it, NAME=VALUE lines */
	REPO_PART_CONFIG_FILE, /* another file of the configuration's folder, by name */
	REPO_PART_DICTIONARY,
	REPO_PART_SOURCE,    /* a fact about the source: name and value, see repo_source */
};

struct repo_part {
	enum repo_part_kind kind;
	struct ark_str schema;  /* TABLE, SEQUENCE, REFRESH; else "" */
	struct ark_str name;
	struct ark_str columns; /* TABLE: list of quoted names for COPY t (...) */
	struct ark_str order;   /* TABLE: what the rows are ordered by, as SQL; "" for none */
	struct ark_str value;   /* SEQUENCE: last value; SOURCE: the value */
	bool called;            /* SEQUENCE */
	bool has_id;            /* false: nothing stored (an empty table) */
	struct repo_id id;      /* TABLE, LARGE, FILES: list for repo_walk; else an object */
	uint64_t rows, bytes;   /* TABLE, LARGE, FILES */
	struct repo_id digest;  /* TABLE, LARGE: SHA-256 over the checks of its segments in order */
};

struct repo_contents {
	struct repo_part *parts;
	size_t count;
	struct ark_buf text; /* the strings borrow from it */
};

/* Read, and make its dictionary known to `r`. */
enum ark_rc repo_contents_read(struct repo *r, const struct repo_snapshot *s, struct repo_contents *out,
                               struct ark_err *err);
void repo_contents_release(struct repo_contents *c); /* also for ark_auto */
/* The same repository once more, for another thread, which can then read what `c` names. */
enum ark_rc repo_open_beside(const struct repo_options *opt, const struct repo_contents *c, struct repo **out,
                             struct ark_err *err);
/* The value of a SOURCE part: "system_identifier", "database", "server_version", "diagnostic_id",
 * "site_url", "files" (resolved folder or s3://ENDPOINT/BUCKET/PREFIX), "host", "roles" (quoted, separated
 * by ", "); NONE when not known. */
struct ark_str repo_source(const struct repo_contents *c, const char *name);
/* The first part of this kind (and name, unless NULL); NULL when there is none. */
const struct repo_part *repo_part_find(const struct repo_contents *c, enum repo_part_kind kind,
                                       const char *name);

void repo_part_write(const struct repo_part *p, struct ark_buf *out);
enum ark_rc repo_contents_parse(struct repo_contents *c, struct ark_err *err); /* of c->text */

#endif
