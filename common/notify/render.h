/* What is told about a run, in the forms that receivers want. Pure: no clock, no network, no files. */
#ifndef ARK_NOTIFY_RENDER_H
#define ARK_NOTIFY_RENDER_H

#include "common/base/buf.h"
#include "common/notify/notify.h"

/* The moment at which something is told. */
struct notify_moment {
	bool end;         /* else the run begins */
	int64_t now_ms;   /* Unix time */
	const char *host; /* name of this machine */
};

/* The run did what it is for, perhaps with something missing. */
bool notify_success(enum ark_exit code);

/* One JSON object on one line: MQTT, standard input of commands. */
void notify_render_json(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out);
/* A few lines for people: monitors, mail. */
void notify_render_text(const struct notify_run *run, const struct notify_moment *at, struct ark_buf *out);
/* The body of a Mattermost incoming webhook. */
void notify_render_webhook(const struct notify_run *run, const struct notify_moment *at,
                           struct ark_buf *out);
/* A whole mail. `id` makes its Message-ID unique. */
void notify_render_mail(const struct notify_run *run, const struct notify_moment *at, const char *from,
                        const char *const *to, const char *id, struct ark_buf *out);
/* Variables for commands: NAME=VALUE, each ended by a NUL. */
void notify_render_environment(const struct notify_run *run, const struct notify_moment *at,
                               struct ark_buf *out);

#endif
