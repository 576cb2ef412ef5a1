/*
 * A Slack message translated: one block of bytes without pointers, so that it can be kept, sorted and
 * spilled to a file. What depends on the messages around it (thread, order, event texts) is decided
 * when the conversation is complete (load/channel.h).
 */
#ifndef IMPORT_TRANSLATE_RECORD_H
#define IMPORT_TRANSLATE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/* What the message is in Mattermost; the order of the names is posts.type's in load/channel.c. */
enum record_event {
	EVENT_NONE,      /* an ordinary post */
	EVENT_ME,
	EVENT_JOIN,
	EVENT_ADD,       /* `author` added `other` */
	EVENT_LEAVE,
	EVENT_TOPIC,     /* extra: the new header */
	EVENT_PURPOSE,   /* extra: the new purpose */
	EVENT_NAME,      /* extra: the new name, extra2: the old one */
	EVENT_ARCHIVE,
	EVENT_UNARCHIVE,
	EVENT_PRIVACY,   /* extra: "private" or "public" */
	EVENT_GENERIC,
};

enum record_flags {
	RECORD_PINNED = 1,
	RECORD_TOMBSTONE = 2,        /* a deleted root: kept only if it has replies */
	RECORD_EMPTY = 4,            /* nothing to show: kept only if it has replies */
	RECORD_REPLY_BROADCAST = 8,  /* `refer_us`: the reply it points at; dropped if that is there */
	RECORD_FILE_COMMENT = 16,    /* extra: the file's id; hangs on the post that carried it */
	RECORD_STRANGER = 32,        /* names somebody whose user name is not final */
	RECORD_ROOT_COPY = 64,       /* extra: text of the thread's root, refer: its author */
	RECORD_ATTACHMENTS = 128,    /* props hold `attachments` */
	RECORD_BOT = 256,
	RECORD_PINS = 512,           /* an event: `refer_us` was pinned */
	RECORD_UNPINS = 1024,
};

/* The parts behind the header, in this order. */
enum record_part {
	PART_MESSAGE,   /* Markdown, what is said about files not included */
	PART_PROPS,     /* members of the props object: `"a":1,"b":2`, no braces; or empty */
	PART_EXTRA,
	PART_EXTRA2,
	PART_REACTIONS, /* record_reaction after record_reaction */
	PART_MENTIONS,  /* uint32_t person after person, each once */
	PART_FILES,     /* record_file after record_file: file.h */
	PART_COUNT,
};

struct record {
	uint32_t size; /* of the whole, a multiple of 8 */
	uint32_t conv;
	int64_t ts_us;
	int64_t thread_us; /* 0: in no thread */
	int64_t edited_us;
	int64_t refer_us;
	uint32_t author;   /* person */
	uint32_t other;    /* inviter, or the author of the thread's root, or PERSON_NONE */
	uint32_t source;   /* archive */
	uint16_t event;
	uint16_t flags;
	uint64_t same_id;  /* hash of client_msg_id, else of the unedited text; equal: the same message */
	uint64_t by_author, by_text; /* order of two messages with one ts: as the bytes of author id and
	                                text (their first ten and eight) */
	uint8_t digest[16]; /* of the Slack source, normalised */
	uint32_t reactions;
	uint32_t parts[PART_COUNT]; /* lengths in bytes */
	char data[];
};

struct record_reaction {
	uint32_t person;
	uint8_t len; /* of the emoji name that follows */
};

static inline struct ark_str record_part(const struct record *r, enum record_part part)
{
	size_t at = 0;
	for (int i = 0; i < (int)part; i++)
		at += r->parts[i];
	return ark_str_n(r->data + at, r->parts[part]);
}

#endif
