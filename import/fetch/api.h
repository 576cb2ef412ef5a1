/*
 * What only Slack's Web API knows: pictures of custom emoji, avatars, user groups. Read with a token of the
 * user's; its limits are kept (Retry-After, "ratelimited"). Nothing is changed at Slack.
 *
 * Fact  docs/slack-quirks.md "Web API"
 */
#ifndef IMPORT_FETCH_API_H
#define IMPORT_FETCH_API_H

#include "common/net/http.h"
#include "import/fetch/picture.h"

struct slack_api;

struct api_settings {
	const char *token;
	const char *slack_url;     /* NULL: https://slack.com, pictures at their own addresses */
	struct net_options net;
	/* a method that the token may not use: told, and gone on without */
	void (*say)(void *ctx, const char *msgid, const char *text);
	/* a user group: handle, name, Slack ids of its members separated by blanks */
	void (*group)(void *ctx, struct ark_str handle, struct ark_str name, struct ark_str members, size_t count);
	enum ark_rc (*tick)(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err);
	void *ctx;
};

enum ark_rc api_open(const struct api_settings *set, struct slack_api **out, struct ark_err *err);
void api_close(struct slack_api *api); /* NULL is fine */
void api_closep(struct slack_api **api);

/* emoji.list: pictures that are not there yet; aliases get the picture of what they stand for. */
enum ark_rc api_emoji(struct slack_api *api, struct pictures *p, struct ark_err *err);
/* users.list: pictures that people chose, for accounts of ours without one. */
enum ark_rc api_avatars(struct slack_api *api, struct pictures *p, struct ark_err *err);
/* usergroups.list: Mattermost's Team Edition has no groups, so they are told. */
enum ark_rc api_groups(struct slack_api *api, struct ark_err *err);

#endif
