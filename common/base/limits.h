/*
 * Every limit on data from outside, in one place. Each line says what happens beyond it.
 */
#ifndef ARK_BASE_LIMITS_H
#define ARK_BASE_LIMITS_H

/* --- archives --- */
#define LIMIT_WORKSPACES 4096            /* of one organisation in one import */
#define LIMIT_ZIP_PART 32768             /* entries of a zip that are listed in memory; more: part after part */
#define LIMIT_ENTRY_NAME 4096            /* bytes of a path in an archive; longer: entry skipped */
#define LIMIT_DAY_FILE (512u << 20)      /* bytes of one day file; more: split at elements */
#define LIMIT_SMALL_FILE (512u << 20)    /* users.json and friends; more: clear error */
#define LIMIT_MESSAGE (8u << 20)         /* bytes of one message's JSON; more: skipped too_large */
#define LIMIT_JSON_DEPTH 512             /* nesting; deeper: the element is damaged */
#define LIMIT_SMALL_JSON (16u << 20)     /* bytes of a document read as a tree; more: clear error */

#define LIMIT_KEYS (32u << 20)           /* bytes of what puts one channel in order, in memory; more: a temporary file */
#define LIMIT_SECRET (1u << 20)          /* bytes of a secret that comes through a pipe; more: usage error */
#define LIMIT_MAP_FILE (64u << 20)       /* bytes of --users, --team-map; more: clear error */

/* --- database --- */
#define LIMIT_DB_NOTICES 64              /* kept per connection; later ones are dropped */
#define LIMIT_DB_CONNECTIONS 64          /* waited for side by side; more is a bug */
#define LIMIT_SQL (16u << 20)            /* bytes of a statement that we build */
#define LIMIT_DSN 16384                  /* bytes of a data source name; longer: usage error */
#define LIMIT_LEDGER_LINE 8192           /* bytes of a line of a purge ledger; longer: the file is refused */

/* Portions behind the commit of an import, load/behind.h: as long as they take LIMIT_BEHIND_MS, by their weight. */
#define LIMIT_BEHIND_MS 150
#define LIMIT_BEHIND_FIRST 500
#define LIMIT_BEHIND_LEAST 300
#define LIMIT_BEHIND_MOST 20000

/* --- export --- */
#define LIMIT_RECORD (96u << 20)          /* bytes of one exported line; more: the run fails, naming the post */

/* --- history in git --- */
#define LIMIT_HISTORY_DAY (512u << 20)   /* bytes of one conversation's day; more: the run fails, naming it */
#define LIMIT_HISTORY_TREE (256u << 20)  /* bytes of one folder's list in git; more: the run fails */
#define LIMIT_HISTORY_SMALL (1u << 20)   /* bytes of a control file or a commit; more: damaged */

/* --- file stores and the network --- */
#define LIMIT_STORE_PATH 4096            /* bytes of a path in a store; longer: refused */
#define LIMIT_STORE_DEPTH 64             /* folders in folders; deeper: listing fails */
#define LIMIT_HTTP_HEADERS (256u << 10)  /* bytes of an answer's headers; more: answer refused */
#define LIMIT_HTTP_HOSTS 256             /* remembered besides those in use; more: the oldest are forgotten */
#define LIMIT_HTTP_BODY (1u << 20)       /* bytes of an answer kept in memory unless said otherwise */
#define LIMIT_RETRY_AFTER_S 31536000     /* seconds a Retry-After can ask for; more counts as this */
#define LIMIT_S3_XML (16u << 20)         /* bytes of an XML answer of an object store; more: refused */
#define LIMIT_S3_PART (24u << 20)        /* bytes of a part that waits in memory; parts do not grow further */
#define LIMIT_S3_PARTS 10000             /* of one upload; more: the parts grow */

/* --- notices about runs --- */
#define LIMIT_NOTIFY_URLS 16             /* --notify in one run; more: usage error */
#define LIMIT_NOTIFY_URL 8192            /* bytes of one address; longer: usage error */
#define LIMIT_NOTIFY_COUNTS 64           /* figures of a run; more are not told */
#define LIMIT_NOTICE (64u << 10)         /* bytes of one notice; more: not sent, with a warning */
#define LIMIT_METRICS (1u << 20)         /* bytes of a metrics file; a larger one is not ours: refused */

/* --- translated text --- */
#define LIMIT_TEXT (32u << 20)           /* bytes of one message after translation */
#define LIMIT_BLOCK_DEPTH 64             /* nesting of blocks; deeper: text field used instead */

/* --- files --- */
#define LIMIT_IMAGE (32u << 20)          /* bytes of an image; larger: no preview and no thumbnail */
#define LIMIT_PREVIEW (16u << 20)        /* bytes of what is made of one; more: neither */
#define LIMIT_IMAGE_MEMORY (256u << 20)  /* for decoding one, in a process of its own; more: neither */
#define LIMIT_IMAGE_MS 60000             /* for one image; longer: neither */

/* --- Mattermost, server 11.6 (docs/mattermost-facts.md "Limits") --- */
#define MM_POST_RUNES_MIN 16383          /* message length when the column does not say more */
#define MM_PROPS_RUNES 800000
#define MM_FILES_PER_POST 10
#define MM_HASHTAGS_BYTES 1000
#define MM_CHANNEL_NAME_BYTES 64
#define MM_CHANNEL_DISPLAY_RUNES 64
#define MM_CHANNEL_HEADER_RUNES 1024
#define MM_CHANNEL_PURPOSE_RUNES 250
#define MM_USERNAME_BYTES 64
#define MM_PERSON_NAME_RUNES 64          /* nickname, first, last */
#define MM_POSITION_RUNES 128
#define MM_EMAIL_BYTES 128
#define MM_GROUP_MEMBERS_MIN 3
#define MM_GROUP_MEMBERS_MAX 8
#define MM_EMOJI_NAME_BYTES 64
#define MM_IMAGE_PIXELS (7680 * 4320)    /* FileSettings.MaxImageResolution: more get no preview */
#define MM_ID_LEN 26

/* --- command line and messages --- */
#define LIMIT_CONFIG_FILE (1u << 20)     /* bytes of a configuration file; more: usage error */
#define LIMIT_TALK (64u << 10)           /* bytes of one message to people; the rest is cut */
#define LIMIT_EVENT (16u << 20)          /* bytes of one JSON line of output; more: run fails */

/* --- repositories of matter-backup --- */
#define LIMIT_REPO_SMALL (1u << 20)      /* bytes of a control file (repository, snapshot, intent); more: damaged */
#define LIMIT_REPO_OBJECT (1u << 30)     /* bytes of an object read into memory: PostgreSQL's rows end there too */
#define LIMIT_REPO_INDEX (256u << 20)    /* plain bytes of one index file; more: damaged */

#endif
