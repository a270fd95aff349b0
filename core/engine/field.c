/*
 * field: the best node among some, for one shape: a tournament like that of ranking.c, over the nodes of a candidate domain alone.
 *
 * It plays with the scores that the shape's ranking keeps, behind the bonus that a preferred level gives (kai-engine 5.2, 10.4), and catches
 * up from the same log of changes. Owns nothing but struct field; its nodes are chosen by split.c.
 * Costs: O(nodes of the field) for a shape that it has not played for last, O(log) per changed node after that.
 */
#include "state.h"
#include "topology.h"

bool engine_field_has(const struct field *field, uint32_t node)
{
	if (field->all)
		return true;
	return node < field->position_capacity && field->position[node] < field->count && field->nodes[field->position[node]] == node;
}

void engine_field_clear(struct stint_engine *engine, struct field *field)
{
	field->all = false;
	field->count = field->width = 0;
	if (field->position_capacity >= engine->nodes_count)
		return;
	stint_grow(&field->nodes, &field->nodes_capacity, engine->nodes_capacity, sizeof *field->nodes);
	stint_grow(&field->bonus, &field->bonus_capacity, engine->nodes_capacity, sizeof *field->bonus);
	const size_t before = field->position_capacity;
	stint_grow(&field->position, &field->position_capacity, engine->nodes_capacity, sizeof *field->position);
	memset(field->position + before, 0, (field->position_capacity - before) * sizeof *field->position);
}

void engine_field_add(struct field *field, uint32_t node, uint8_t bonus)
{
	field->nodes[field->count] = node;
	field->bonus[field->count] = bonus;
	field->position[node] = field->count++;
}

void engine_field_free(struct field *field)
{
	free(field->nodes);
	free(field->position);
	free(field->bonus);
	free(field->winners);
}

/* ---- the tournament ------------------------------------------------------------------------------------------------------------- */

static uint32_t winner(const struct stint_engine *engine, const struct field *field, const uint64_t *scores, uint32_t a, uint32_t b)
{
	if (a >= field->count || b >= field->count)
		return a < b ? a : b;
	const uint32_t p = field->nodes[a], q = field->nodes[b];
	const uint64_t x = scores[p], y = scores[q];
	if (x == 0 || y == 0)
		return x == 0 ? b : a;
	if (field->bonus[a] != field->bonus[b])
		return field->bonus[a] > field->bonus[b] ? a : b;
	if (x != y)
		return x > y ? a : b;
	return engine->nodes[p].rank <= engine->nodes[q].rank ? a : b;
}

static void replay(const struct stint_engine *engine, struct field *field, uint32_t node)
{
	const uint64_t *scores = engine->shapes[field->shape].ranking.scores;
	for (uint32_t at = (field->width + field->position[node]) / 2; at; at /= 2)
		field->winners[at] = winner(engine, field, scores, field->winners[2 * at], field->winners[2 * at + 1]);
}

static void play_all(const struct stint_engine *engine, struct field *field, uint32_t shape)
{
	const uint64_t *scores = engine->shapes[shape].ranking.scores;
	uint32_t width = 2;
	while (width < field->count)
		width *= 2;
	stint_grow(&field->winners, &field->winners_capacity, 2 * (size_t)width, sizeof *field->winners);
	for (uint32_t i = 0; i < width; i++)
		field->winners[width + i] = i;
	for (uint32_t at = width - 1; at; at--)
		field->winners[at] = winner(engine, field, scores, field->winners[2 * at], field->winners[2 * at + 1]);
	field->width = width;
	field->shape = shape;
}

uint32_t engine_field_best(struct stint_engine *engine, struct field *field, uint32_t shape)
{
	const uint32_t best_of_all = engine_ranking_best(engine, shape);
	if (field->all || best_of_all == STINT_NO_HANDLE || field->count == 0)
		return field->all ? best_of_all : STINT_NO_HANDLE;
	const uint64_t behind = engine->changes - field->seen;
	/* What terms change is not in the log of nodes. */
	if (!field->width || field->shape != shape || field->played != engine->shapes[shape].ranking.played ||
		behind > field->count / 4 + 1 || engine->shapes[shape].terms) {
		play_all(engine, field, shape);
	} else {
		for (uint64_t at = field->seen; at < engine->changes; at++) {
			const uint32_t node = engine->log[at & (engine->log_size - 1)];
			if (engine_field_has(field, node))
				replay(engine, field, node);
		}
	}
	field->seen = engine->changes;
	field->played = engine->shapes[shape].ranking.played;
	const uint32_t best = field->nodes[field->winners[1]];
	return engine->shapes[shape].ranking.scores[best] ? best : STINT_NO_HANDLE;
}

void engine_field_mask(struct stint_engine *engine, struct field *field, uint32_t shape, uint32_t node)
{
	engine_ranking_mask(engine, shape, node);
	if (!field->all)
		replay(engine, field, node);
}

void engine_field_unmask(struct stint_engine *engine, struct field *field, uint32_t shape, uint32_t node)
{
	engine_ranking_unmask(engine, shape, node);
	if (!field->all && engine->shapes[shape].ranking.width)
		replay(engine, field, node);
}
