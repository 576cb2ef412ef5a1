/*
 * The threads. Each has a reader and its own instance of every format, and takes the next task until
 * there are none; the first failure stops all. The main thread draws the progress line meanwhile.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "export/app.h"

#include "common/base/banned.h"

/*
 * Connections by default, at most: a thread takes about 8 MB (rows, a compressor, libpq), and the whole
 * is to stay under 64 MB on machines with any number of processors.
 */
#define JOBS_MAX 5

struct crew;

struct worker {
	struct crew *crew;
	pthread_t thread;
	struct export_reader *reader;
	void *selves[EXPORT_FORMATS_MAX];
	enum ark_rc rc;
	struct ark_err err;
};

struct crew {
	struct export_app *app;
	struct worker *workers;
	unsigned count;
	_Atomic size_t next; /* task */
	_Atomic bool stop;
	_Atomic unsigned running;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	/* app->beside, over the run's own connection, while the others read posts. */
	pthread_t beside;
	enum ark_rc beside_rc;
	struct ark_err beside_err;
};

/* --- records to all formats -------------------------------------------------------------------- */

enum ark_rc export_give(struct export_app *a, void **selves, const struct export_record *record,
                        struct ark_err *err)
{
	size_t channel = (size_t)(record->channel - a->sel.channels);
	atomic_fetch_add_explicit(&a->per_channel[channel], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&a->records, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(record->what == EXPORT_POST     ? &a->posts
	                          : record->what == EXPORT_ORPHAN ? &a->orphans
	                                                          : &a->purged, 1, memory_order_relaxed);
	for (unsigned i = 0; i < a->formats_count; i++) {
		enum ark_rc rc = a->formats[i]->record(selves[i], record, err);
		if (rc < 0)
			return ark_err_in(err, rc, "%s: post '%.*s'", a->formats[i]->name, ARK_FMT(record->id));
	}
	ark_progress_count(&a->bar, 1, 0);
	return ARK_OK;
}

static enum ark_rc on_record(void *ctx, const struct export_record *record, struct ark_err *err)
{
	struct worker *w = ctx;
	if (atomic_load_explicit(&w->crew->stop, memory_order_relaxed))
		return ark_err_set(err, ARK_KIND_SIGNAL, "stopped");
	return export_give(w->crew->app, w->selves, record, err);
}

static enum ark_rc on_channel_begin(void *ctx, const struct export_channel *channel, struct ark_err *err)
{
	struct worker *w = ctx;
	struct export_app *a = w->crew->app;
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < a->formats_count && rc == ARK_OK; i++)
		rc = a->formats[i]->channel_begin(w->selves[i], channel, err);
	return rc;
}

static enum ark_rc on_channel_end(void *ctx, const struct export_channel *channel, struct ark_err *err)
{
	struct worker *w = ctx;
	struct export_app *a = w->crew->app;
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < a->formats_count && rc == ARK_OK; i++)
		rc = a->formats[i]->channel_end(w->selves[i], channel, err);
	return rc;
}

/* --- one thread -------------------------------------------------------------------------------- */

static enum ark_rc do_tasks(struct worker *w, struct ark_err *err)
{
	struct crew *c = w->crew;
	struct export_sink sink = { w, on_channel_begin, on_record, on_channel_end };
	for (;;) {
		size_t n = atomic_fetch_add(&c->next, 1);
		if (n >= c->app->sel.tasks_count || atomic_load(&c->stop))
			return ARK_OK;
		enum ark_rc rc = ark_interrupt_check(err);
		if (rc == ARK_OK)
			rc = export_reader_task(w->reader, &c->app->sel.tasks[n], &sink, err);
		if (rc < 0)
			return rc;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;
	w->rc = do_tasks(w, &w->err);
	if (w->rc < 0)
		atomic_store(&c->stop, true);
	pthread_mutex_lock(&c->lock);
	atomic_fetch_sub(&c->running, 1);
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

enum ark_rc export_crew_prepare(struct export_app *a, void **selves, struct export_reader **reader,
                                struct ark_err *err)
{
	struct export_reader_options opt = {
		.dsn = a->place.dsn.data,
		.snapshot = a->snapshot.data,
		.db = { .app = a->tool->name, .interrupted = ark_interrupted },
		.sel = &a->sel,
		.run = &a->run,
		.thorough = a->config->evidence,
	};
	for (unsigned i = 0; i < a->formats_count; i++) {
		opt.wants_members = opt.wants_members || a->formats[i]->wants_members;
		enum ark_rc rc = a->formats[i]->begin(&a->run, &selves[i], err);
		if (rc < 0)
			return ark_err_in(err, rc, "%s", a->formats[i]->name);
	}
	enum ark_rc rc = a->looks_at_files ? export_bodies_open(a, &opt.bodies, err) : ARK_OK;
	return rc == ARK_OK ? export_reader_open(&opt, reader, err) : rc;
}

/* --- all of them ------------------------------------------------------------------------------- */

static unsigned jobs(const struct export_app *a)
{
	for (unsigned i = 0; i < a->formats_count; i++)
		if (a->formats[i]->alone)
			return 1;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t n = a->config->jobs > 0 ? a->config->jobs : cores < JOBS_MAX ? cores : JOBS_MAX;
	if ((uint64_t)n > a->sel.tasks_count)
		n = (int64_t)a->sel.tasks_count;
	return n < 1 ? 1 : (unsigned)n;
}

static void *write_beside(void *arg)
{
	struct crew *c = arg;
	c->beside_rc = c->app->beside != NULL ? c->app->beside(c->app, &c->beside_err) : ARK_OK;
	if (c->beside_rc < 0)
		atomic_store(&c->stop, true);
	return NULL;
}

/* Until all have ended; ten looks a second for the progress line. */
static void wait_for(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	while (atomic_load(&c->running) > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&c->ended, &c->lock, &until);
		pthread_mutex_unlock(&c->lock);
		ark_progress_tick(&c->app->bar);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
}

/* The first that failed, not those that were stopped because of it. */
static enum ark_rc outcome(const struct crew *c, struct ark_err *err)
{
	const struct worker *worst = NULL;
	for (unsigned i = 0; i < c->count; i++) {
		const struct worker *w = &c->workers[i];
		if (w->rc < 0 && (worst == NULL || worst->err.kind == ARK_KIND_SIGNAL))
			worst = w;
	}
	if (c->beside_rc < 0 && (worst == NULL || worst->err.kind == ARK_KIND_SIGNAL)) {
		*err = c->beside_err;
		return c->beside_rc;
	}
	if (worst == NULL)
		return ARK_OK;
	*err = worst->err;
	return worst->rc;
}

static enum ark_rc run_threads(struct crew *c, struct ark_err *err)
{
	int beside = pthread_create(&c->beside, NULL, write_beside, c);
	if (beside != 0)
		return ark_err_errno(err, beside, "cannot start a thread");
	for (unsigned i = 0; i < c->count; i++) {
		atomic_fetch_add(&c->running, 1);
		int failed = pthread_create(&c->workers[i].thread, NULL, work, &c->workers[i]);
		if (failed != 0) {
			atomic_fetch_sub(&c->running, 1);
			atomic_store(&c->stop, true);
			c->count = i;
			wait_for(c);
			for (unsigned k = 0; k < i; k++)
				pthread_join(c->workers[k].thread, NULL);
			pthread_join(c->beside, NULL);
			return ark_err_errno(err, failed, "cannot start a thread");
		}
	}
	wait_for(c);
	for (unsigned i = 0; i < c->count; i++)
		pthread_join(c->workers[i].thread, NULL);
	if (c->app->beside != NULL)
		ark_progress_phase(&c->app->bar, "people and channels", NULL, 0, 0);
	pthread_join(c->beside, NULL);
	return outcome(c, err);
}

enum ark_rc export_crew_work(struct export_app *a, struct ark_err *err)
{
	struct crew c = { .app = a, .count = jobs(a) };
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.ended, NULL);
	c.workers = ark_calloc(c.count, sizeof(c.workers[0]));
	unsigned all = c.count;
	enum ark_rc rc = ARK_OK;
	for (unsigned i = 0; i < all && rc == ARK_OK; i++) {
		c.workers[i].crew = &c;
		rc = export_crew_prepare(a, c.workers[i].selves, &c.workers[i].reader, err);
	}
	if (rc == ARK_OK)
		rc = run_threads(&c, err);
	for (unsigned i = 0; i < all; i++) {
		export_reader_close(c.workers[i].reader);
		for (unsigned k = 0; k < a->formats_count; k++) {
			if (rc == ARK_OK)
				rc = a->formats[k]->end(c.workers[i].selves[k], err);
			a->formats[k]->drop(c.workers[i].selves[k]);
		}
	}
	free(c.workers);
	pthread_cond_destroy(&c.ended);
	pthread_mutex_destroy(&c.lock);
	return rc;
}
