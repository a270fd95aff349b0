/*
 * topology: the nodes as trees of domains (kai-engine 10.1), each domain with the sum of what is free below it.
 *
 * Owns engine.topologies and engine.domains. A topology catches up with the log of changed nodes when it is asked, so one that nobody asks
 * for costs nothing; a domain exists while it has nodes.
 * Promises: the sums are those of the books, over nodes that take pods; a node that has more in use than it offers counts as having nothing.
 * Costs: a changed node costs the depth; a new topology, or a resource that no node had before, costs all nodes.
 */
#include "topology.h"
#include "state.h"

/* ---- domains ------------------------------------------------------------------------------------------------------------------- */

static uint32_t add_domain(struct stint_engine *engine, const struct topology *topology, uint32_t parent, const char *value)
{
	if (!engine->free_domains.count)
		stint_grow(&engine->domains, &engine->domains_capacity, engine->domains_count + 1, sizeof *engine->domains);
	const uint32_t handle = engine_take_slot(&engine->free_domains, &engine->domains_count);
	struct domain *domain = &engine->domains[handle];
	*domain = (struct domain){
		.value = stint_strdup(value),
		.parent = parent,
		.first_child = STINT_NO_HANDLE,
		.next = STINT_NO_HANDLE,
		.previous = STINT_NO_HANDLE,
		.first_node = STINT_NO_HANDLE,
	};
	if (topology->stride)
		domain->extended = stint_alloc(topology->stride * sizeof *domain->extended);
	if (parent == STINT_NO_HANDLE)
		return handle;
	struct domain *above = &engine->domains[parent];
	domain->level = (uint8_t)(above->level + 1);
	domain->next = above->first_child;
	if (domain->next != STINT_NO_HANDLE)
		engine->domains[domain->next].previous = handle;
	above->first_child = handle;
	return handle;
}

static char *key_of(uint32_t parent, const char *value)
{
	return stint_format("%u/%s", parent, value);
}

static void free_domain(struct stint_engine *engine, uint32_t handle)
{
	struct domain *domain = &engine->domains[handle];
	free(domain->value);
	free(domain->extended);
	*domain = (struct domain){.parent = STINT_NO_HANDLE};
	handles_push(&engine->free_domains, handle);
}

/* Forgets a domain without nodes, and those above it that have none either. The root stays. */
static void prune(struct stint_engine *engine, struct topology *topology, uint32_t handle)
{
	while (engine->domains[handle].nodes == 0 && engine->domains[handle].parent != STINT_NO_HANDLE) {
		struct domain *domain = &engine->domains[handle];
		const uint32_t parent = domain->parent;
		stint_autofree char *key = key_of(parent, domain->value);
		stint_map_remove(topology->index, key);
		if (domain->previous != STINT_NO_HANDLE)
			engine->domains[domain->previous].next = domain->next;
		else
			engine->domains[parent].first_child = domain->next;
		if (domain->next != STINT_NO_HANDLE)
			engine->domains[domain->next].previous = domain->previous;
		free_domain(engine, handle);
		handle = parent;
	}
}

uint32_t engine_domain_above(const struct stint_engine *engine, uint32_t domain, uint32_t level)
{
	while (engine->domains[domain].level > level)
		domain = engine->domains[domain].parent;
	return domain;
}

char *engine_domain_name(const struct stint_engine *engine, uint32_t domain)
{
	if (engine->domains[domain].level <= 1)
		return stint_strdup(engine->domains[domain].value);
	stint_autofree char *above = engine_domain_name(engine, engine->domains[domain].parent);
	return stint_format("%s.%s", above, engine->domains[domain].value);
}

/* ---- nodes in domains ---------------------------------------------------------------------------------------------------------------- */

static uint32_t find_domain(struct stint_engine *engine, struct topology *topology, uint32_t node)
{
	const struct stint_node *object = engine->nodes[node].object;
	const char *values[STINT_MAX_LEVELS];
	for (uint32_t i = 0; i < topology->levels; i++) {
		values[i] = object ? stint_object_label(&object->meta, topology->object->levels[i].node_label) : NULL;
		if (!values[i])
			return STINT_NO_HANDLE;
	}
	uint32_t at = topology->root;
	for (uint32_t i = 0; i < topology->levels; i++) {
		stint_autofree char *key = key_of(at, values[i]);
		uint32_t below = (uint32_t)(uintptr_t)stint_map_get(topology->index, key) - 1;
		if (below == STINT_NO_HANDLE) {
			below = add_domain(engine, topology, at, values[i]);
			stint_map_set(topology->index, key, (void *)(uintptr_t)(below + 1));
		}
		at = below;
	}
	return at;
}

static void give(struct stint_engine *engine, struct topology *topology, uint32_t node, int sign)
{
	const struct located *located = &topology->nodes[node];
	const int64_t *extended = topology->extended + node * topology->stride;
	for (uint32_t at = located->domain; at != STINT_NO_HANDLE; at = engine->domains[at].parent) {
		struct domain *domain = &engine->domains[at];
		domain->cpu_milli = plus(domain->cpu_milli, signed_by(sign, located->cpu_milli));
		domain->memory_bytes = plus(domain->memory_bytes, signed_by(sign, located->memory_bytes));
		domain->gpus += sign * located->gpus;
		for (size_t i = 0; i < topology->stride; i++)
			domain->extended[i] = plus(domain->extended[i], signed_by(sign, extended[i]));
	}
}

static void join(struct stint_engine *engine, struct topology *topology, uint32_t node, uint32_t domain)
{
	struct located *located = &topology->nodes[node];
	located->domain = domain;
	if (domain == STINT_NO_HANDLE)
		return;
	located->previous = STINT_NO_HANDLE;
	located->next = engine->domains[domain].first_node;
	if (located->next != STINT_NO_HANDLE)
		topology->nodes[located->next].previous = node;
	engine->domains[domain].first_node = node;
	for (uint32_t at = domain; at != STINT_NO_HANDLE; at = engine->domains[at].parent)
		engine->domains[at].nodes++;
}

static void leave(struct stint_engine *engine, struct topology *topology, uint32_t node)
{
	struct located *located = &topology->nodes[node];
	const uint32_t domain = located->domain;
	if (domain == STINT_NO_HANDLE)
		return;
	if (located->previous != STINT_NO_HANDLE)
		topology->nodes[located->previous].next = located->next;
	else
		engine->domains[domain].first_node = located->next;
	if (located->next != STINT_NO_HANDLE)
		topology->nodes[located->next].previous = located->previous;
	for (uint32_t at = domain; at != STINT_NO_HANDLE; at = engine->domains[at].parent)
		engine->domains[at].nodes--;
	located->domain = STINT_NO_HANDLE;
}

static int64_t at_least_none(int64_t amount)
{
	return amount > 0 ? amount : 0;
}

static void look_at(struct stint_engine *engine, struct topology *topology, uint32_t node)
{
	struct located *located = &topology->nodes[node];
	const struct books *books = &engine->books[node];
	give(engine, topology, node, -1);
	if (engine->nodes[node].respecified > topology->seen) {
		const uint32_t former = located->domain, now = find_domain(engine, topology, node);
		if (now != former) {
			leave(engine, topology, node);
			join(engine, topology, node, now);
		}
		if (now != former && former != STINT_NO_HANDLE)
			prune(engine, topology, former);
	}
	const bool counts = located->domain != STINT_NO_HANDLE && books->open;
	located->cpu_milli = counts ? at_least_none(plus(books->cpu_idle, books->cpu_leaving)) : 0;
	located->memory_bytes = counts ? at_least_none(plus(books->memory_idle, books->memory_leaving)) : 0;
	located->gpus = counts ? at_least_none((int64_t)books->gpus_idle + books->gpus_leaving) : 0;
	for (size_t i = 0; i < topology->stride; i++) {
		const struct extended *book = engine_extended(engine, node, (uint32_t)i);
		topology->extended[node * topology->stride + i] = counts ? at_least_none(plus(book->idle, book->leaving)) : 0;
	}
	give(engine, topology, node, 1);
}

/* ---- keeping it current -------------------------------------------------------------------------------------------------------------- */

static void drop_domains(struct stint_engine *engine, struct topology *topology)
{
	const char *key = NULL;
	void *value = NULL;
	for (size_t at = 0; stint_map_next(topology->index, &at, &key, &value);)
		free_domain(engine, (uint32_t)(uintptr_t)value - 1);
	stint_map_clear(topology->index);
	if (topology->root != STINT_NO_HANDLE)
		free_domain(engine, topology->root);
	topology->root = STINT_NO_HANDLE;
}

static void forget_nodes(struct topology *topology)
{
	free(topology->nodes);
	free(topology->extended);
	topology->nodes = NULL;
	topology->extended = NULL;
	topology->capacity = topology->stride = 0;
	topology->seen = 0;
}

static void make_room(struct stint_engine *engine, struct topology *topology)
{
	const size_t before = topology->capacity;
	if (before >= engine->nodes_count)
		return;
	topology->capacity = engine->nodes_capacity;
	topology->nodes = stint_realloc(topology->nodes, topology->capacity * sizeof *topology->nodes);
	for (size_t i = before; i < topology->capacity; i++)
		topology->nodes[i] = (struct located){.domain = STINT_NO_HANDLE};
	if (!topology->stride)
		return;
	topology->extended = stint_realloc(topology->extended, topology->capacity * topology->stride * sizeof *topology->extended);
	memset(topology->extended + before * topology->stride, 0,
		(topology->capacity - before) * topology->stride * sizeof *topology->extended);
}

static void catch_up(struct stint_engine *engine, struct topology *topology)
{
	if (topology->stride != engine->extended_stride || topology->root == STINT_NO_HANDLE) {
		drop_domains(engine, topology);
		forget_nodes(topology);
		topology->stride = engine->extended_stride;
		topology->root = add_domain(engine, topology, STINT_NO_HANDLE, "");
	}
	make_room(engine, topology);
	const uint64_t behind = engine->changes - topology->seen;
	if (behind > engine->nodes_count / 4 + 1) {
		for (uint32_t i = 0; i < engine->nodes_count; i++) {
			if (engine->nodes[i].changed > topology->seen)
				look_at(engine, topology, i);
		}
	} else {
		for (uint64_t at = topology->seen; at < engine->changes; at++) {
			const uint32_t node = engine->log[at & (engine->log_size - 1)];
			if (engine->nodes[node].changed == at + 1)
				look_at(engine, topology, node);
		}
	}
	topology->seen = engine->changes;
}

struct topology *engine_topology_named(struct stint_engine *engine, const char *name)
{
	const uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(engine->topology_names, name) - 1;
	if (handle == STINT_NO_HANDLE)
		return NULL;
	catch_up(engine, &engine->topologies[handle]);
	return &engine->topologies[handle];
}

uint32_t engine_topology_level(const struct topology *topology, const char *name)
{
	for (uint32_t i = 0; i < topology->levels; i++) {
		const struct stint_topology_level *level = &topology->object->levels[i];
		if (strcmp(level->node_label, name) == 0 || (level->alias && strcmp(level->alias, name) == 0))
			return i + 1;
	}
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------------ */

void engine_topology_discard(struct stint_engine *engine, struct topology *topology)
{
	if (!topology->object)
		return;
	drop_domains(engine, topology);
	forget_nodes(topology);
	stint_map_free(topology->index);
	stint_object_unref(&topology->object->meta);
	*topology = (struct topology){.root = STINT_NO_HANDLE};
}

static bool same_levels(const struct stint_topology *a, const struct stint_topology *b)
{
	if (a->levels_count != b->levels_count)
		return false;
	for (uint32_t i = 0; i < a->levels_count; i++) {
		if (strcmp(a->levels[i].node_label, b->levels[i].node_label) != 0)
			return false;
	}
	return true;
}

void stint_engine_topology_upsert(struct stint_engine *engine, struct stint_topology *object)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &object->meta});
	engine_drop_reservations(engine);
	uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(engine->topology_names, object->meta.name) - 1;
	stint_object_ref(&object->meta);
	if (handle == STINT_NO_HANDLE) {
		if (!engine->free_topologies.count)
			stint_grow(&engine->topologies, &engine->topologies_capacity, engine->topologies_count + 1,
				sizeof *engine->topologies);
		handle = engine_take_slot(&engine->free_topologies, &engine->topologies_count);
		engine->topologies[handle] = (struct topology){.root = STINT_NO_HANDLE, .index = stint_map_new(NULL)};
		stint_map_set(engine->topology_names, object->meta.name, (void *)(uintptr_t)(handle + 1));
	}
	struct topology *topology = &engine->topologies[handle];
	struct stint_topology *former = topology->object;
	if (former && !same_levels(former, object)) {
		drop_domains(engine, topology);
		forget_nodes(topology);
	}
	topology->object = object;
	topology->levels = object->levels_count < STINT_MAX_LEVELS ? object->levels_count : STINT_MAX_LEVELS;
	if (former)
		stint_object_unref(&former->meta);
	engine->room_epoch++; /* what waited for it is tried again */
	engine->stirred = true;
}

void stint_engine_topology_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_TOPOLOGY, .name = name});
	engine_drop_reservations(engine);
	const uint32_t handle = (uint32_t)(uintptr_t)stint_map_get(engine->topology_names, name) - 1;
	if (handle == STINT_NO_HANDLE)
		return;
	stint_map_remove(engine->topology_names, name);
	engine_topology_discard(engine, &engine->topologies[handle]);
	handles_push(&engine->free_topologies, handle);
	engine->room_epoch++;
	engine->stirred = true;
}
