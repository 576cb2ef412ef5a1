#include "export/formats/names.h"

#include "common/base/banned.h"

#define KEY_BYTES (1u << 16)

static struct ark_str key_of(struct format_names *n, struct ark_str team_id, struct ark_str name)
{
	ark_buf_reset(&n->key);
	ark_buf_str(&n->key, team_id);
	ark_buf_c(&n->key, '/');
	ark_buf_str(&n->key, name);
	return ark_buf_view(&n->key);
}

void format_names_init(struct format_names *n, const struct export_run *run)
{
	*n = (struct format_names){ .run = run };
	ark_buf_init(&n->key, KEY_BYTES);
	for (size_t i = 0; i < run->people_count; i++)
		ark_map_put(&n->users, run->people[i].user_name, (uint32_t)i);
	for (size_t i = 0; i < run->channels_count; i++)
		ark_map_put(&n->channels, key_of(n, run->channels[i].team_id, run->channels[i].name), (uint32_t)i);
}

void format_names_release(struct format_names *n)
{
	ark_map_release(&n->users);
	ark_map_release(&n->channels);
	ark_buf_release(&n->key);
}

const struct export_person *format_names_user(const struct format_names *n, struct ark_str name)
{
	uint32_t at = ark_map_get(&n->users, name);
	return at != ARK_MAP_NONE ? &n->run->people[at] : NULL;
}

const struct export_channel *format_names_channel(struct format_names *n, struct ark_str team_id,
                                                  struct ark_str name)
{
	uint32_t at = ark_map_get(&n->channels, key_of(n, team_id, name));
	return at != ARK_MAP_NONE ? &n->run->channels[at] : NULL;
}
