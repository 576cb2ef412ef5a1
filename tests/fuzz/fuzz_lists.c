/*
 * Any JSON as the lists of an export, people and conversations: who was added is found again, and every
 * index points at somebody.
 */
#include "import/slack/conv.h"
#include "import/slack/person.h"

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void add(struct slack_people *people, struct slack_convs *convs, int list, struct json_val v)
{
	struct ark_str id = json_text(json_get(v, "id"));
	bool added;
	if (list == 4) {
		added = slack_people_add(people, v);
		FUZZ_CLAIM(!added || slack_people_find(people, id) != PERSON_NONE);
		uint32_t other = slack_people_bot(people, id, json_text(json_get(v, "name")),
		                                  json_text(json_get(v, "real_name")));
		FUZZ_CLAIM(other < people->count);
		slack_people_profile(people, other, json_get(v, "profile"));
	} else {
		added = slack_convs_add(convs, people, (enum conv_list)list, v);
		FUZZ_CLAIM(!added || slack_convs_find(convs, id) != CONV_NONE);
		uint32_t folder = slack_convs_folder(convs, json_text(json_get(v, "name")));
		FUZZ_CLAIM(folder == CONV_NONE || folder < convs->count);
	}
	FUZZ_CLAIM(!added || ark_str_has(id));
}

static void claims(const struct slack_people *people, const struct slack_convs *convs)
{
	for (uint32_t i = 0; i < people->count; i++)
		FUZZ_CLAIM(people->list[i].key.len > 0);
	for (uint32_t i = 0; i < convs->count; i++) {
		const struct slack_conv *c = &convs->list[i];
		FUZZ_CLAIM(c->creator == PERSON_NONE || c->creator < people->count);
		uint32_t *members = ark_numbers_unpack(&c->members);
		for (uint32_t m = 0; m < c->members.count; m++) {
			FUZZ_CLAIM(members[m] < people->count);
			for (uint32_t n = 0; n < m && m < 100; n++)
				FUZZ_CLAIM(members[n] != members[m]);
		}
		free(members);
		for (uint32_t p = 0; p < c->pins_count; p++)
			FUZZ_CLAIM(slack_conv_is_pinned(c, c->pins_us[p]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_doc *doc;
	if (doc == NULL)
		doc = json_doc_new();
	struct ark_err err = { 0 };
	struct json_val root;
	char *text = fuzz_padded(data, size);
	if (json_doc_parse(doc, text, size, &root, &err) == ARK_OK) {
		for (int list = 0; list <= 4; list++) {
			struct slack_people people;
			struct slack_convs convs = { 0 };
			slack_people_init(&people);
			struct json_iter it = json_items(root);
			for (struct json_val x; json_next(&it, &x);)
				add(&people, &convs, list, x);
			(void)slack_people_team(&people);
			claims(&people, &convs);
			slack_convs_release(&convs);
			slack_people_release(&people);
		}
	}
	free(text);
	return 0;
}
