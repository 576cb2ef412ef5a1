/*
 * Progress of what may last over a second: one line on a terminal with bar, amounts, rate and the
 * time that is left; under --json a status object per second; on SIGUSR1 the same as a line on
 * standard error, terminal or not. Not for phases that are over at once: ark_info tells those.
 *
 *	struct ark_progress bar;
 *	ark_progress_begin(&bar, &talk);
 *	ark_progress_phase(&bar, "reading", "messages", 0, archive_bytes);
 *	while (...)
 *		ark_progress_add(&bar, 1, message_bytes);
 *	ark_progress_end(&bar);
 *
 * There is no thread and no timer: the calls look at the clock now and then, so a loop that waits
 * for something else calls ark_progress_tick. Between begin and end the functions of talk.h take
 * the line off before they print and put it back.
 */
#ifndef ARK_CLI_PROGRESS_H
#define ARK_CLI_PROGRESS_H

#include <stdatomic.h>

#include "common/cli/talk.h"

#define ARK_PROGRESS_FIRST_MS 1000 /* nothing is shown before */
#define ARK_PROGRESS_EVERY_MS 100  /* time between two drawings */
#define ARK_PROGRESS_JSON_MS 1000  /* time between two status objects */
#define ARK_PROGRESS_SAMPLES 16

struct ark_progress_sample {
	int64_t ms;
	uint64_t done;
};

/* Caller's storage; the fields are private, except clock_ms for tests. */
struct ark_progress {
	struct ark_talk *talk;
	char phase[96];
	char noun[32];
	uint64_t total_items, total_bytes; /* 0: not known */
	uint64_t items, bytes;             /* of the thread that draws */
	_Atomic uint64_t other_items, other_bytes;
	unsigned countdown; /* calls until the clock is looked at */
	unsigned stride;
	int64_t begin_ms, phase_ms, checked_ms, drawn_ms, json_ms;
	bool on_line;  /* the bar stands on the terminal now */
	bool put_back; /* it did before a message took it off */
	struct ark_progress_sample samples[ARK_PROGRESS_SAMPLES]; /* ring, for the rate */
	unsigned sample_count;
	int64_t (*clock_ms)(void);
};

/* One at a time per talk. */
void ark_progress_begin(struct ark_progress *p, struct ark_talk *talk);
/*
 * A new phase: amounts start at 0. Texts are copied, cut if too long, and may come from outside.
 * noun         what is counted, plural: "messages"; NULL when only bytes are
 * total_items, total_bytes   0 when not known; bytes decide the bar when both are
 */
void ark_progress_phase(struct ark_progress *p, const char *phase, const char *noun,
                        uint64_t total_items, uint64_t total_bytes);
/* Look at clock and signals now, and draw if it is time; nothing outside begin and end. */
void ark_progress_tick(struct ark_progress *p);
/* So much more is done. The thread that began only; about a nanosecond. */
static inline void ark_progress_add(struct ark_progress *p, uint64_t items, uint64_t bytes)
{
	p->items += items;
	p->bytes += bytes;
	if (__builtin_expect(--p->countdown == 0, 0))
		ark_progress_tick(p);
}
/* The same from any other thread; draws nothing. */
static inline void ark_progress_count(struct ark_progress *p, uint64_t items, uint64_t bytes)
{
	atomic_fetch_add_explicit(&p->other_items, items, memory_order_relaxed);
	atomic_fetch_add_explicit(&p->other_bytes, bytes, memory_order_relaxed);
}
/* Take the line off for good; again is harmless. Also fit for ark_auto. */
void ark_progress_end(struct ark_progress *p);

#endif
