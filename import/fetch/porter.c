/*
 * One queue for all threads. A thread brings its store to disk between two orders, when it was asked to: orders that
 * were taken back are behind it then.
 */
#include "import/fetch/porter.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

#define PORTERS_LOCAL 2 /* one can write while the other waits for the disk */
#define PORTERS_S3 6    /* a bucket's answers take their time */

struct porter {
	struct porters *all;
	pthread_t thread;
	struct store *store;
	uint64_t synced; /* number of the last sync that is done */
};

struct porters {
	struct porter_store how;
	pthread_mutex_t lock;       /* of everything below */
	pthread_cond_t work, done;  /* for the threads; for who gives orders */
	struct porter list[PORTERS_S3];
	unsigned count;             /* threads that run */
	struct porter_order *first, **last; /* given */
	struct porter_order *ready, **ready_last;
	unsigned out;               /* given and not taken back */
	uint64_t sync;              /* number of the last one that was asked for */
	enum ark_rc sync_rc;
	struct ark_err sync_err;
	bool stop;
};

struct porters *porters_new(const struct porter_store *store)
{
	struct porters *p = ark_calloc(1, sizeof(*p));
	p->how = *store;
	p->last = &p->first;
	p->ready_last = &p->ready;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	return p;
}

void porters_free(struct porters *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		pthread_join(p->list[i].thread, NULL);
	for (unsigned i = 0; i < PORTERS_S3; i++)
		store_close(p->list[i].store);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- in the threads ---- */

static void carry(struct store *store, struct porter_order *o)
{
	o->rc = ARK_OK;
	for (size_t i = 0; i < o->count && o->rc == ARK_OK; i++)
		o->rc = store_put(store, o->loads[i].path, &o->loads[i].body, 0, &o->err);
}

/* Called and left with the lock. */
static void sync_one(struct porter *x)
{
	struct porters *p = x->all;
	struct ark_err err = { 0 };
	uint64_t number = p->sync;
	pthread_mutex_unlock(&p->lock);
	enum ark_rc rc = store_sync(x->store, &err);
	pthread_mutex_lock(&p->lock);
	if (rc < 0 && p->sync_rc == ARK_OK) {
		p->sync_rc = rc;
		p->sync_err = err;
	}
	x->synced = number;
	pthread_cond_broadcast(&p->done);
}

static void carry_next(struct porters *p, struct porter *x)
{
	struct porter_order *o = p->first;
	p->first = o->next;
	if (p->first == NULL)
		p->last = &p->first;
	o->next = NULL;
	pthread_mutex_unlock(&p->lock);
	carry(x->store, o);
	pthread_mutex_lock(&p->lock);
	*p->ready_last = o;
	p->ready_last = &o->next;
	pthread_cond_broadcast(&p->done);
}

static void *work(void *ctx)
{
	struct porter *x = ctx;
	struct porters *p = x->all;
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		if (x->synced < p->sync)
			sync_one(x);
		else if (p->first != NULL)
			carry_next(p, x);
		else
			pthread_cond_wait(&p->work, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- for who gives orders ---- */

/* Signals stay with the main thread. */
static bool start_thread(struct porter *x)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool good = pthread_create(&x->thread, NULL, work, x) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

static enum ark_rc start(struct porters *p, struct ark_err *err)
{
	unsigned wanted = PORTERS_LOCAL;
	for (unsigned i = 0; i < wanted; i++) {
		struct porter *x = &p->list[i];
		x->all = p;
		enum ark_rc rc = p->how.open(p->how.ctx, &x->store, err);
		if (rc < 0)
			return rc;
		wanted = store_kind(x->store) == STORE_S3 ? PORTERS_S3 : PORTERS_LOCAL;
		if (!start_thread(x))
			return ark_err_stop(err, ARK_KIND_MEMORY, "cannot start a thread");
		p->count++;
	}
	return ARK_OK;
}

enum ark_rc porters_give(struct porters *p, struct porter_order *order, struct ark_err *err)
{
	enum ark_rc rc = p->count == 0 ? start(p, err) : ARK_OK;
	if (rc < 0)
		return rc;
	order->next = NULL;
	order->err = (struct ark_err){ 0 };
	pthread_mutex_lock(&p->lock);
	*p->last = order;
	p->last = &order->next;
	p->out++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
	return ARK_OK;
}

struct porter_order *porters_take(struct porters *p, bool wait)
{
	pthread_mutex_lock(&p->lock);
	while (wait && p->ready == NULL && p->out > 0)
		pthread_cond_wait(&p->done, &p->lock);
	struct porter_order *o = p->ready;
	if (o != NULL) {
		p->ready = o->next;
		if (p->ready == NULL)
			p->ready_last = &p->ready;
		o->next = NULL;
		p->out--;
	}
	pthread_mutex_unlock(&p->lock);
	return o;
}

uint64_t porters_sync(struct porters *p)
{
	pthread_mutex_lock(&p->lock);
	uint64_t number = ++p->sync;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	return number;
}

static bool all_synced(const struct porters *p, uint64_t number)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].synced < number)
			return false;
	return true;
}

enum ark_rc porters_synced(struct porters *p, uint64_t number, bool wait, struct ark_err *err)
{
	pthread_mutex_lock(&p->lock);
	while (wait && !all_synced(p, number) && p->sync_rc == ARK_OK)
		pthread_cond_wait(&p->done, &p->lock);
	enum ark_rc rc = p->sync_rc;
	if (rc < 0)
		*err = p->sync_err;
	else if (!all_synced(p, number))
		rc = ARK_END;
	pthread_mutex_unlock(&p->lock);
	return rc;
}
