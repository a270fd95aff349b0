/*
 * journal: the witness that writes lines. See stint/journal.h for what they are.
 *
 * State: lines that have not been handed out yet, and the policy of the last cycle. Costs: O(size of what changed); nothing but a comparison while
 * nobody keeps a journal.
 */
#include <stdlib.h>
#include <string.h>

#include <stint/journal.h>

#include "form.h"
#include "lines.h"

enum { HANDED_OUT_BYTES = 256 * 1024 };

struct stint_journal {
	struct stint_engine *engine;
	void (*write)(void *user, const char *lines, size_t length);
	void *user;
	struct stint_buf lines;
	bool ended;
	char *policy; /* of the last cycle, as a text; NULL: there was none */
};

static void add_line(struct stint_journal *journal, struct stint_json *line)
{
	stint_json_print_to(&journal->lines, line);
	stint_buf_putc(&journal->lines, '\n');
	stint_json_free(line);
}

void stint_journal_flush(struct stint_journal *journal)
{
	if (journal->lines.length && !journal->ended)
		journal->write(journal->user, journal->lines.data, journal->lines.length);
	stint_buf_reset(&journal->lines);
}

/* A line with one text under that word. */
static void add_word(struct stint_journal *journal, const char *word, const char *text)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, word, text);
	add_line(journal, line);
}

/* ---- what goes in ---------------------------------------------------------------------------------------------------------------------- */

static void add_object(struct stint_journal *journal, const struct stint_object *object)
{
	const struct form_of_kind *kind = form_of(object->kind);
	struct stint_json *line = stint_json_new_object();
	stint_json_add(line, kind->word, form_put(kind->form, object));
	add_line(journal, line);
}

static void add_gone(struct stint_journal *journal, const struct stint_news *news)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, form_of(news->gone)->gone, news->name);
	if (news->space)
		stint_json_set_string(line, "namespace", news->space);
	add_line(journal, line);
}

static void add_numa(struct stint_journal *journal, const struct stint_news *news)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, "numa", news->name);
	if (news->numa)
		stint_json_add(line, "is", form_put(&form_numa, news->numa));
	add_line(journal, line);
}

static void add_usage(struct stint_journal *journal, const struct stint_news *news)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, "usage", news->name);
	for (enum stint_dimension d = 0; d < STINT_DIMENSIONS; d++)
		stint_json_set_double(line, stint_dimension_name(d), news->usage[d]);
	add_line(journal, line);
}

static void add_pod(struct stint_journal *journal, const struct stint_engine *engine, const struct stint_pod_facts *facts)
{
	struct stint_json *line = stint_json_new_object();
	struct stint_group_view group;
	struct stint_pod_view known;
	const char *uid = facts->pod->meta.uid ? facts->pod->meta.uid : facts->pod->meta.name;
	stint_json_add(line, "pod", form_put(&form_pod, facts->pod));
	/* The engine goes by the pointer: another one is news, whatever it says. */
	if (stint_engine_pod_view(engine, stint_engine_pod_find(engine, uid), &known) && known.pod->spec != facts->pod->spec)
		stint_json_set_bool(line, "respecified", true);
	if (facts->group != STINT_NO_HANDLE && stint_engine_group_view(engine, facts->group, &group))
		stint_json_set_string(line, "group", group.key);
	if (facts->part)
		stint_json_set_string(line, "part", facts->part);
	stint_json_set_string(line, "status", pod_status_words[facts->status]);
	if (facts->devices)
		stint_json_add(line, "devices", form_put_slots(facts->devices));
	if (facts->holder)
		stint_json_set_bool(line, "holder", true);
	if (facts->rezoned)
		stint_json_set_bool(line, "rezoned", true);
	if (facts->zones)
		stint_json_add(line, "zones", form_put_items(&form_zone, facts->zones, facts->zones_count));
	if (facts->reach)
		stint_json_add(line, "volumes", form_put_items(&form_reach_need, facts->reach->needs, facts->reach->needs_count));
	add_line(journal, line);
}

static void add_spare(struct stint_journal *journal, const struct stint_news *news)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_string(line, "spare", news->name);
	stint_json_set_bool(line, "spared", news->spared);
	add_line(journal, line);
}

static void add_group(struct stint_journal *journal, const struct stint_group_spec *spec)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_add(line, "group", form_put(&form_group, spec));
	add_line(journal, line);
}

struct judged {
	const char *key;
	uint32_t group;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct judged *)a)->key, ((const struct judged *)b)->key);
}

/* By name: the order in which the engine came to them means nothing, and a question asked between cycles may change it. */
static void add_records(struct stint_journal *journal, const struct stint_engine *engine, const struct stint_cycle *cycle)
{
	struct judged *judged = stint_alloc((cycle->judged_count + 1) * sizeof *judged);
	size_t count = 0;
	for (size_t i = 0; i < cycle->judged_count; i++) {
		struct stint_group_view view;
		if (stint_engine_group_view(engine, cycle->judged[i], &view))
			judged[count++] = (struct judged){view.key, cycle->judged[i]};
	}
	qsort(judged, count, sizeof *judged, by_key);
	for (size_t i = 0; i < count; i++)
		add_line(journal, line_of_record(engine, judged[i].group));
	free(judged);
}

static void add_cycle(struct stint_journal *journal, const struct stint_engine *engine, const struct stint_news *news)
{
	struct stint_json *line = stint_json_new_object();
	stint_json_set_int(line, "cycle", news->now_ms);
	struct stint_json *policy = form_put(&form_policy, news->policy);
	stint_autofree char *text = stint_json_print(policy);
	if (!journal->policy || strcmp(journal->policy, text) != 0) {
		stint_json_add(line, "policy", policy);
		free(journal->policy);
		journal->policy = stint_steal(&text);
	} else {
		stint_json_free(policy);
	}
	add_line(journal, line);
	for (size_t i = 0; i < news->cycle->count; i++)
		add_line(journal, line_of_decision(engine, &news->cycle->decisions[i]));
	add_records(journal, engine, news->cycle);
	add_line(journal, line_of_end(news->cycle));
}

static void tell(void *user, const struct stint_engine *engine, const struct stint_news *news)
{
	struct stint_journal *journal = user;
	switch (news->kind) {
	case STINT_NEWS_OBJECT: add_object(journal, news->object); break;
	case STINT_NEWS_OBJECT_GONE: add_gone(journal, news); break;
	case STINT_NEWS_NUMA: add_numa(journal, news); break;
	case STINT_NEWS_USAGE: add_usage(journal, news); break;
	case STINT_NEWS_GROUP: add_group(journal, news->group); break;
	case STINT_NEWS_GROUP_GONE: add_word(journal, "group_gone", news->name); break;
	case STINT_NEWS_SPARE: add_spare(journal, news); break;
	case STINT_NEWS_POD: add_pod(journal, engine, news->pod); break;
	case STINT_NEWS_POD_GONE: add_word(journal, "pod_gone", news->name); break;
	case STINT_NEWS_CONFIRM: add_word(journal, "confirm", news->name); break;
	case STINT_NEWS_UNDO: add_word(journal, "undo", news->name); break;
	case STINT_NEWS_STAY: add_word(journal, "stay", news->name); break;
	case STINT_NEWS_CYCLE: add_cycle(journal, engine, news); break;
	}
	if (news->kind == STINT_NEWS_CYCLE || journal->lines.length >= HANDED_OUT_BYTES)
		stint_journal_flush(journal);
}

struct stint_journal *stint_journal_new(
	struct stint_engine *engine, void (*write)(void *user, const char *lines, size_t length), void *user)
{
	struct stint_journal *journal = stint_alloc(sizeof *journal);
	*journal = (struct stint_journal){.engine = engine, .write = write, .user = user};
	stint_engine_watch(engine, &(struct stint_witness){tell, journal});
	stint_buf_puts(&journal->lines, JOURNAL_HEAD "\n");
	return journal;
}

void stint_journal_end(struct stint_journal *journal)
{
	if (!journal->ended)
		stint_engine_watch(journal->engine, NULL);
	journal->ended = true;
}

void stint_journal_free(struct stint_journal *journal)
{
	if (!journal)
		return;
	stint_journal_flush(journal);
	stint_journal_end(journal);
	stint_buf_free(&journal->lines);
	free(journal->policy);
	free(journal);
}
