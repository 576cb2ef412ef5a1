#include "import/fetch/download.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/many.h"
#include "common/store/store.h"
#include "import/slack/body.h"

#include "common/base/banned.h"

#define PARALLEL 8
#define SIGN_IN_PAGES_MAX 20 /* in a row: the token is dead, not the files */
#define LOOKS_IN_VAIN_MAX 200 /* in a row, into a bucket, whose answers take their time */

/* One download under way. */
struct slot {
	struct fetching *all;
	bool used;
	struct keep_file file;
	struct body body;
	unsigned token;       /* which one is tried */
	bool again;           /* with the next token */
	bool page;            /* a sign-in page was recognised by its head */
	char url[4096];
	char header[SLACK_TOKEN_BYTES + 32];
	const char *headers[1];
};

struct fetching {
	const struct downloads *d;
	struct keeper *k;
	struct download_count *count;
	struct slot slots[PARALLEL];
	struct keep_page page;
	char last[SLACK_ID_BYTES + 1];
	bool end;
	unsigned pages_in_a_row;
	unsigned looks_in_vain;
	enum ark_rc ledger_rc; /* of `tick` */
	struct ark_err ledger_err;
};

static void fetching_release(struct fetching *f)
{
	for (int i = 0; i < PARALLEL; i++) {
		keep_file_release(&f->slots[i].file);
		body_release(&f->slots[i].body);
	}
	keep_page_release(&f->page);
}

/* ---- addresses ---- */

static struct ark_str host_of(struct ark_str url)
{
	size_t at = ark_str_search(url, ARK_LIT("://"), 0);
	if (at == SIZE_MAX)
		return ARK_LIT("");
	struct ark_str rest = ark_str_from(url, at + 3);
	size_t end = 0;
	while (end < rest.len && strchr("/?#:", rest.ptr[end]) == NULL)
		end++;
	struct ark_str host = ark_str_first(rest, end);
	return memchr(host.ptr, '@', host.len) != NULL ? ARK_LIT("") : host;
}

static bool is_slack_host(struct ark_str host)
{
	static const char *const NAMES[] = { "files.slack.com", "slack-files.com", "files.slack-gov.com" };
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		if (ark_str_eqz(host, NAMES[i]))
			return true;
	return ark_str_ends(host, ARK_LIT(".slack-edge.com")) || ark_str_ends(host, ARK_LIT(".slack-files.com"));
}

bool download_is_slack(struct ark_str url)
{
	return ark_str_starts(url, ARK_LIT("https://")) && is_slack_host(host_of(url));
}

static bool has_token(const struct fetching *f, unsigned n)
{
	return n < (f->d->token != NULL ? 1u : 0u) + f->d->tokens_count;
}

/* The address to ask, and the header that opens it. False: it is none. */
static bool make_url(struct slot *s)
{
	const struct downloads *d = s->all->d;
	struct ark_str link = s->file.link;
	s->header[0] = '\0';
	if (!download_is_slack(link))
		return false;
	int n;
	if (d->slack_url != NULL) {
		size_t path = ark_str_find(link, '/', strlen("https://"));
		n = snprintf(s->url, sizeof(s->url), "%s%.*s", d->slack_url,
		             ARK_FMT(path == SIZE_MAX ? ARK_LIT("/") : ark_str_from(link, path)));
	} else {
		n = snprintf(s->url, sizeof(s->url), "%.*s", ARK_FMT(link));
	}
	if (n < 0 || (size_t)n >= sizeof(s->url) - SLACK_TOKEN_BYTES - 16)
		return false;
	if (d->token != NULL && s->token == 0) {
		snprintf(s->header, sizeof(s->header), "Authorization: Bearer %s", d->token);
		return true;
	}
	const struct slack_token *t = &d->tokens[s->token - (d->token != NULL ? 1 : 0)];
	snprintf(s->url + n, sizeof(s->url) - (size_t)n, "?%s=%s", t->parameter, t->value);
	return true;
}

/* ---- what is next ---- */

static enum ark_rc next_file(struct fetching *f, struct keep_file *out, struct ark_err *err)
{
	if (f->end || f->count->token_dead)
		return ARK_END;
	if (keeper_page_next(&f->page, out) == ARK_END) {
		keep_page_release(&f->page);
		enum ark_rc rc = keeper_page(f->k, ark_str_z(f->last), &f->page, err);
		if (rc < 0)
			return rc;
		if (keeper_page_next(&f->page, out) == ARK_END) {
			f->end = true;
			return ARK_END;
		}
	}
	snprintf(f->last, sizeof(f->last), "%.*s", ARK_FMT(out->slack_id));
	return ARK_OK;
}

static enum ark_rc take_piece(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct slot *s = ctx;
	enum ark_rc rc = body_add(&s->body, ptr, len, err);
	return rc < 0 ? rc : s->all->d->tick(s->all->d->ctx, 0, len, err);
}

/*
 * Stored by a run that was killed before it could say so, or for a database that is no more? Its path says where.
 * What a killed run had stored comes first in the order of ids, so a bucket that has nothing for a while has nothing.
 */
static enum ark_rc look_in_store(struct fetching *f, struct slot *s, bool *found, struct ark_err *err)
{
	struct store_stat there;
	struct ark_err why = { 0 };
	*found = false;
	const char *path = s->file.rows[0].path.ptr;
	if (s->file.size_bytes <= 0 ||
	    (store_kind(f->d->store) == STORE_S3 && f->looks_in_vain >= LOOKS_IN_VAIN_MAX))
		return ARK_OK;
	f->looks_in_vain++;
	if (store_stat(f->d->store, path, &there, &why) < 0 || there.size != (uint64_t)s->file.size_bytes)
		return ARK_OK;
	f->looks_in_vain = 0;
	body_reset(&s->body);
	struct ark_sink sink = { take_piece, s };
	if (store_read(f->d->store, path, 0, UINT64_MAX, sink, NULL, &why) < 0)
		return ARK_OK; /* then it is fetched */
	if (body_fault(&s->body, s->file.size_bytes, s->file.may_be_html) != NULL)
		return ARK_OK;
	*found = true;
	f->count->found++;
	enum ark_rc rc = keeper_store(f->k, &s->file, &s->body, err);
	return rc < 0 ? rc : f->d->tick(f->d->ctx, 1, 0, err);
}

static enum ark_rc on_begin(void *ctx, const struct net_begin *b, struct ark_err *err)
{
	struct slot *s = ctx;
	(void)err;
	if (b->from == 0)
		body_reset(&s->body);
	struct ark_str host = host_of(b->url_shown);
	bool ours = s->all->d->slack_url != NULL
	                ? ark_str_eq(host, host_of(ark_str_z(s->all->d->slack_url)))
	                : download_is_slack(b->url_shown);
	bool html = ark_str_starts(b->type, ARK_LIT("text/html"));
	/* an HTML file that does not look like one by its type: its size tells them apart later */
	bool size_fits = b->has_size && s->file.size_bytes > 0 && b->size == (uint64_t)s->file.size_bytes;
	s->page = !ours || (html && !s->file.may_be_html && !size_fits);
	return s->page ? ARK_END : ARK_OK;
}

static const char *reason_of(const struct net_result *r)
{
	switch (r->status) {
	case 401:
	case 403: return "no access to it at Slack";
	case 404:
	case 410: return "no longer at Slack";
	case 429: return "Slack asked to wait too long";
	default: break;
	}
	if (r->status >= 500)
		return "Slack answers with an error";
	if (r->fate == NET_UNREACHABLE)
		return "Slack cannot be reached";
	return r->fate == NET_BROKEN ? "the connection broke again and again" : "it cannot be downloaded";
}

static enum ark_rc sign_in_page(struct slot *s, struct ark_err *err)
{
	struct fetching *f = s->all;
	f->count->sign_in_pages++;
	if (has_token(f, s->token + 1)) {
		s->token++;
		s->again = true;
		return ARK_OK;
	}
	if (++f->pages_in_a_row >= SIGN_IN_PAGES_MAX)
		f->count->token_dead = true;
	return keeper_miss(f->k, &s->file, "a sign-in page instead of the file: the token does not open it", err);
}

static enum ark_rc on_done(void *ctx, const struct net_result *r, struct ark_err *err)
{
	struct slot *s = ctx;
	struct fetching *f = s->all;
	enum ark_rc rc = ARK_OK;
	if (r->rc == ARK_STOP || (r->fate == NET_OURS && !s->page && r->rc < 0)) {
		s->used = false;
		*err = *r->err;
		return ARK_STOP;
	}
	if (r->rc == ARK_OK) {
		const char *fault = body_fault(&s->body, s->file.size_bytes, s->file.may_be_html);
		s->page = fault != NULL && body_is_sign_in(body_start(&s->body));
		if (fault == NULL) {
			f->pages_in_a_row = 0;
			f->count->fetched++;
			rc = keeper_store(f->k, &s->file, &s->body, err);
		} else if (!s->page) {
			rc = keeper_miss(f->k, &s->file, fault, err);
		}
	}
	if (s->page)
		rc = sign_in_page(s, err);
	else if (r->rc < 0 && (r->status == 401 || r->status == 403) && has_token(f, s->token + 1)) {
		s->token++;
		s->again = true;
	} else if (r->rc < 0) {
		rc = keeper_miss(f->k, &s->file, reason_of(r), err);
	}
	if (s->again)
		return rc; /* the slot keeps its file */
	keep_file_release(&s->file);
	body_reset(&s->body);
	s->used = false;
	if (rc == ARK_OK && f->ledger_rc < 0) {
		*err = f->ledger_err;
		rc = f->ledger_rc;
	}
	if (rc == ARK_OK)
		rc = keeper_commit(f->k, false, err);
	return rc < 0 ? ARK_STOP : f->d->tick(f->d->ctx, 1, 0, err);
}

static void fill(struct slot *s, struct net_job *job)
{
	s->page = s->again = false;
	s->used = true;
	s->headers[0] = s->header;
	*job = (struct net_job){ .url = s->url, .headers = s->headers, .header_count = s->header[0] != '\0',
		                 .redirects = 5, .begin = on_begin, .data = take_piece, .done = on_done,
		                 .ctx = s };
}

static enum ark_rc next_job(void *ctx, struct net_job *job, struct ark_err *err)
{
	struct fetching *f = ctx;
	struct slot *idle = NULL;
	for (int i = 0; i < PARALLEL; i++) {
		struct slot *s = &f->slots[i];
		if (s->again) {
			if (make_url(s)) {
				fill(s, job);
				return ARK_OK;
			}
			s->again = s->used = false;
		}
		if (!s->used)
			idle = s;
	}
	if (idle == NULL)
		ark_bug("more downloads at once than were asked for");
	for (;;) {
		bool found = false;
		keep_file_release(&idle->file);
		enum ark_rc rc = next_file(f, &idle->file, err);
		if (rc != ARK_OK)
			return rc;
		if (idle->file.count == 0)
			continue;
		rc = look_in_store(f, idle, &found, err);
		if (rc < 0)
			return rc;
		if (found)
			continue;
		idle->token = 0;
		if (make_url(idle)) {
			fill(idle, job);
			return ARK_OK;
		}
		rc = keeper_miss(f->k, &idle->file, "its link does not lead to Slack", err);
		if (rc < 0)
			return rc;
	}
}

/* What was stored goes into the ledger while all transfers are long ones. */
static void tick(void *ctx)
{
	struct fetching *f = ctx;
	if (f->ledger_rc == ARK_OK)
		f->ledger_rc = keeper_commit(f->k, false, &f->ledger_err);
}

static bool wants_again(const struct fetching *f)
{
	for (int i = 0; i < PARALLEL; i++)
		if (f->slots[i].again)
			return true;
	return false;
}

enum ark_rc fetch_from_slack(const struct downloads *d, struct keeper *k, struct download_count *count,
                             struct ark_err *err)
{
	*count = (struct download_count){ 0 };
	ark_auto(net_many_closep) struct net_many *many = NULL;
	ark_auto(fetching_release) struct fetching f = { .d = d, .k = k, .count = count };
	for (int i = 0; i < PARALLEL; i++) {
		f.slots[i].all = &f;
		body_init(&f.slots[i].body, d->temp_dir);
	}
	struct net_many_options opt = { .net = d->net, .parallel = PARALLEL, .per_host = PARALLEL };
	enum ark_rc rc = net_many_open(&opt, &many, err);
	do /* a file that wants another token may turn up when all others are asked for */
		rc = rc < 0 ? rc : net_many_run(many, next_job, tick, &f, err);
	while (rc == ARK_OK && wants_again(&f));
	if (rc == ARK_OK && f.ledger_rc < 0) {
		*err = f.ledger_err;
		rc = f.ledger_rc;
	}
	if (rc == ARK_OK && count->token_dead && d->say != NULL)
		d->say(d->ctx, "import.token_dead",
		       "Slack answers with its sign-in page: the token is not valid any more; the rest of the files is "
		       "left for later (a new export, or --slack-token-file)");
	return rc;
}
