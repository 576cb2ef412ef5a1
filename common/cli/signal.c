#include "common/cli/signal.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "common/base/banned.h"

/* Lock-free atomics are async-signal-safe; unlike sig_atomic_t, other threads may read them. */
static atomic_int interrupted;
static atomic_int progress_wanted;

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "signal handlers need lock-free flags");

static void on_interrupt(int signo)
{
	if (atomic_exchange_explicit(&interrupted, 1, memory_order_relaxed) == 0)
		return;
	/* The second one: blocked while this handler runs, delivered with its default on return, so
	 * that the parent sees a process that died of the signal. */
	signal(signo, SIG_DFL);
	raise(signo);
}

static void on_progress(int signo)
{
	(void)signo;
	atomic_store_explicit(&progress_wanted, 1, memory_order_relaxed);
}

static void handle(int signo, void (*fn)(int), bool keep_ignored)
{
	struct sigaction old;
	if (keep_ignored && sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return;
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_RESTART };
	sigemptyset(&sa.sa_mask);
	sigaction(signo, &sa, NULL);
}

void ark_signal_install(void)
{
	handle(SIGINT, on_interrupt, true);
	handle(SIGTERM, on_interrupt, true);
	handle(SIGUSR1, on_progress, false);
	handle(SIGPIPE, SIG_IGN, false);
}

bool ark_interrupted(void)
{
	return atomic_load_explicit(&interrupted, memory_order_relaxed) != 0;
}

enum ark_rc ark_interrupt_check(struct ark_err *err)
{
	if (!ark_interrupted())
		return ARK_OK;
	return ark_err_set(err, ARK_KIND_SIGNAL, "interrupted");
}

bool ark_signal_progress_wanted(void)
{
	if (atomic_load_explicit(&progress_wanted, memory_order_relaxed) == 0)
		return false;
	return atomic_exchange_explicit(&progress_wanted, 0, memory_order_relaxed) != 0;
}

void ark_signal_default(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}
