/*
 * The rows of one message: posts, reactions, and our own record of both.
 *
 * Fact  docs/mattermost-facts.md "Posts", "Reactions"
 */
#ifndef IMPORT_LOAD_POST_H
#define IMPORT_LOAD_POST_H

#include "import/load/sink.h"
#include "import/load/thread.h"

struct post_writer {
	struct load *l;
	struct sink *sink;
	/* scratch */
	struct ark_buf text, part, carry, props, hashtags, tmp, notes;
	/* topic and purpose as the events of the channel under way set them */
	struct ark_buf topic, purpose;
};

void post_writer_init(struct post_writer *w, struct load *l, struct sink *sink);
void post_writer_release(struct post_writer *w);
/* Before the first message of a channel. */
void post_writer_channel(struct post_writer *w);

/* Id of a key's post. */
void post_id(const struct post_writer *w, const struct thread_key *k, unsigned part,
             char out[MM_ID_LEN + 1]);

/* All rows of a record and its key, as far as the sink wants them: false, none. Counts into the target. */
bool post_write(struct post_writer *w, struct load_target *t, struct thread_order *o,
                uint32_t key, const struct record *r);
/* The same for the root of a thread that is not in the archive. */
bool post_write_placeholder(struct post_writer *w, struct load_target *t,
                            struct thread_order *o, uint32_t key);

#endif
