/*
 * claim_devices: the devices that nodes offer through slices, each in a slot of its node, and who uses them (kai-engine 7.6).
 *
 * Owns engine.dra.slices and node.devices. A slot is a device by driver, pool and name: it stays while the device is offered or used, so
 * that news of slices move nothing. A pool counts in its newest generation and only when all of its slices are there; devices that are
 * special in a way that is not understood are not offered; nor are those beyond MOST_SLOTS of a node.
 * Promises: equal states offer the same devices in the same order, whatever came first: driver, pool, then name with numbers by value.
 * Costs: news of a slice: the devices of its node, times the logarithm of their number.
 */
#include "state.h"

bool engine_names_gpu(const char *text)
{
	for (; text && *text; text++) {
		if ((text[0] | 32) == 'g' && (text[1] | 32) == 'p' && (text[2] | 32) == 'u')
			return true;
	}
	return false;
}

/* ---- slots ---------------------------------------------------------------------------------------------------------------------------- */

static struct claim_table *table_of(struct stint_engine *engine, uint32_t node)
{
	struct claim_table **table = &engine->nodes[node].devices;
	if (!*table)
		*table = stint_alloc(sizeof **table);
	return *table;
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* Runs of digits compare as numbers; what is equal but for leading zeros compares as bytes. */
static int compare_names(const char *a, const char *b)
{
	const char *p = a, *q = b;
	while (*p && *q) {
		if (digits(p) && digits(q)) {
			p += strspn(p, "0");
			q += strspn(q, "0");
			const size_t m = digits(p), n = digits(q);
			if (m != n)
				return m < n ? -1 : 1;
			const int order = memcmp(p, q, m);
			if (order)
				return order;
			p += m;
			q += n;
			continue;
		}
		if (*p != *q)
			break;
		p++;
		q++;
	}
	const int order = (unsigned char)*p - (unsigned char)*q;
	return order ? order : strcmp(a, b);
}

static bool slot_precedes(const struct claim_slot *a, const struct claim_slot *b)
{
	int order = strcmp(a->driver, b->driver);
	if (!order)
		order = strcmp(a->pool, b->pool);
	return (order ? order : compare_names(a->name, b->name)) < 0;
}

/* The slots that are in use by somebody or offered, in order. */
static void sort(struct claim_table *table)
{
	size_t used = 0;
	for (size_t slot = 0; slot < table->count; slot++) {
		if (!table->slots[slot].driver)
			continue;
		size_t at = used++;
		for (; at > 0 && slot_precedes(&table->slots[slot], &table->slots[table->order[at - 1]]); at--)
			table->order[at] = table->order[at - 1];
		table->order[at] = (uint8_t)slot;
	}
	table->ordered = used;
}

static void empty_slot(struct claim_slot *slot)
{
	free(slot->driver);
	free(slot->pool);
	free(slot->name);
	*slot = (struct claim_slot){.reserved_by = STINT_NO_HANDLE};
}

/* MOST_SLOTS: there is none. */
static size_t find_slot(const struct claim_table *table, const char *driver, const char *pool, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct claim_slot *slot = &table->slots[i];
		if (slot->driver && strcmp(slot->name, name) == 0 && strcmp(slot->driver, driver) == 0 && strcmp(slot->pool, pool) == 0)
			return i;
	}
	return MOST_SLOTS;
}

/* MOST_SLOTS when there is no more room. */
static size_t make_slot(struct claim_table *table, const char *driver, const char *pool, const char *name)
{
	size_t free_slot = 0;
	while (free_slot < table->count && table->slots[free_slot].driver)
		free_slot++;
	if (free_slot == MOST_SLOTS)
		return MOST_SLOTS;
	if (free_slot == table->count) {
		stint_grow(&table->slots, &table->capacity, table->count + 1, sizeof *table->slots);
		table->order = stint_realloc(table->order, table->capacity * sizeof *table->order);
		table->count++;
	}
	table->slots[free_slot] = (struct claim_slot){
		.driver = stint_strdup(driver),
		.pool = stint_strdup(pool),
		.name = stint_strdup(name),
		.gpu = engine_names_gpu(driver),
		.reserved_by = STINT_NO_HANDLE,
	};
	return free_slot;
}

/* What a slot gives to the sums of its node. */
static void sum_slot(struct claim_table *table, const struct claim_slot *slot, int sign)
{
	if (!slot->gpu || !slot->device)
		return;
	table->gpus += sign;
	table->gpus_idle += slot->users == 0 ? sign : 0;
	table->gpus_leaving += slot->users > 0 && slot->users == slot->leaving ? sign : 0;
	table->gpus_leaving -= slot->reserved > 0 ? sign : 0;
}

void engine_slot_account(struct stint_engine *engine, uint32_t node, unsigned index, uint32_t claim, enum stint_pod_status status, int sign)
{
	struct claim_table *table = engine->nodes[node].devices;
	struct claim_slot *slot = &table->slots[index];
	sum_slot(table, slot, -1);
	if (status == STINT_POD_RESERVED) {
		slot->reserved += (uint32_t)sign;
		slot->reserved_by = slot->reserved ? claim : STINT_NO_HANDLE;
	} else {
		slot->users += (uint32_t)sign;
		if (status == STINT_POD_RELEASING)
			slot->leaving += (uint32_t)sign;
	}
	sum_slot(table, slot, 1);
}

bool engine_slot_free(const struct claim_slot *slot, uint32_t claim, bool later)
{
	if (slot->reserved && slot->reserved_by != claim)
		return false;
	return slot->users == 0 || (later && slot->users == slot->leaving);
}

size_t engine_slot_named(struct stint_engine *engine, uint32_t node, const char *driver, const char *pool, const char *name)
{
	struct claim_table *table = table_of(engine, node);
	const size_t known = find_slot(table, driver, pool, name);
	if (known != MOST_SLOTS)
		return known;
	const size_t slot = make_slot(table, driver, pool, name);
	sort(table);
	return slot;
}

/* ---- what is offered ------------------------------------------------------------------------------------------------------------------ */

static bool same_pool(const struct stint_resource_slice *a, const struct stint_resource_slice *b)
{
	return strcmp(a->driver, b->driver) == 0 && strcmp(a->pool, b->pool) == 0;
}

/* Of the newest generation of its pool, and that one complete. */
static bool counts(
	const struct stint_engine *engine, const struct claim_table *table, const struct stint_resource_slice *slice, bool *missing)
{
	int64_t there = 0;
	for (size_t i = 0; i < table->slices.count; i++) {
		const struct stint_resource_slice *other = engine->dra.slices[table->slices.items[i]];
		if (!same_pool(slice, other))
			continue;
		if (other->generation > slice->generation)
			return false;
		there += other->generation == slice->generation;
	}
	if (there >= slice->slices_total)
		return true;
	*missing = true;
	return false;
}

/* First those that have their slots already, so that what is gone leaves its room to what is new. */
static void offer(struct claim_table *table, const struct stint_resource_slice *slice, bool make)
{
	for (uint32_t i = 0; i < slice->devices_count; i++) {
		const struct stint_device *device = &slice->devices[i];
		if (device->special)
			continue;
		size_t at = find_slot(table, slice->driver, slice->pool, device->name);
		if (at == MOST_SLOTS && make)
			at = make_slot(table, slice->driver, slice->pool, device->name);
		if (at != MOST_SLOTS)
			table->slots[at].device = device;
	}
}

static void empty_unused(struct claim_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct claim_slot *slot = &table->slots[i];
		if (slot->driver && !slot->device && !slot->users && !slot->reserved)
			empty_slot(slot);
	}
}

static bool slice_precedes(const struct stint_engine *engine, uint32_t a, uint32_t b)
{
	return strcmp(engine->dra.slices[a]->meta.name, engine->dra.slices[b]->meta.name) < 0;
}

static void offer_all(struct stint_engine *engine, uint32_t node)
{
	struct claim_table *table = table_of(engine, node);
	for (size_t i = 0; i < table->count; i++)
		table->slots[i].device = NULL;
	engine_sort(engine, table->slices.items, table->slices.count, slice_precedes);
	table->incomplete = false;
	for (int make = 0; make < 2; make++) {
		for (size_t i = 0; i < table->slices.count; i++) {
			const struct stint_resource_slice *slice = engine->dra.slices[table->slices.items[i]];
			if (counts(engine, table, slice, &table->incomplete))
				offer(table, slice, make);
		}
		empty_unused(table);
	}
	sort(table);
	table->gpus = table->gpus_idle = table->gpus_leaving = 0;
	for (size_t i = 0; i < table->count; i++)
		sum_slot(table, &table->slots[i], 1);
	table->stamp = ++engine->dra.clock;
}

static void renew(struct stint_engine *engine, uint32_t node)
{
	offer_all(engine, node);
	engine_books_mark_devices(engine, node);
	engine_node_count(engine, node);
	engine_node_changed(engine, node, true);
	engine->room_epoch++;
	engine->search_epoch++;
	engine->stirred = true;
	engine_node_release(engine, node);
}

bool engine_node_has_devices(const struct stint_engine *engine, uint32_t node)
{
	const struct claim_table *table = engine->nodes[node].devices;
	if (!table)
		return false;
	bool used = table->slices.count > 0;
	for (size_t i = 0; i < table->count && !used; i++)
		used = table->slots[i].users || table->slots[i].reserved;
	return used;
}

void engine_claim_table_free(struct claim_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		empty_slot(&table->slots[i]);
	free(table->slots);
	free(table->order);
	free(table->slices.items);
	free(table);
}

/* ---- slices ---------------------------------------------------------------------------------------------------------------------------- */

static void leave(struct stint_engine *engine, uint32_t node, uint32_t slice)
{
	struct claim_table *table = engine->nodes[node].devices;
	for (size_t i = 0; i < table->slices.count; i++) {
		if (table->slices.items[i] == slice) {
			table->slices.items[i] = table->slices.items[--table->slices.count];
			return;
		}
	}
}

static uint32_t slice_find(const struct stint_engine *engine, const char *name)
{
	return (uint32_t)(uintptr_t)stint_map_get(engine->dra.slice_names, name) - 1;
}

/* A slice is replaced as a whole: slots point into it until its node has been looked at again. */
static void set_slice(struct stint_engine *engine, uint32_t at, struct stint_resource_slice *slice)
{
	struct claim_state *dra = &engine->dra;
	struct stint_resource_slice *former = dra->slices[at];
	const uint32_t old_node = former && former->node ? engine_node_named(engine, former->node) : STINT_NO_HANDLE;
	const uint32_t new_node = slice && slice->node ? engine_node_named(engine, slice->node) : STINT_NO_HANDLE;
	if (old_node != STINT_NO_HANDLE)
		leave(engine, old_node, at);
	dra->slices[at] = slice;
	if (new_node != STINT_NO_HANDLE)
		handles_push(&table_of(engine, new_node)->slices, at);
	if (old_node != STINT_NO_HANDLE && old_node != new_node)
		renew(engine, old_node);
	if (new_node != STINT_NO_HANDLE)
		renew(engine, new_node);
	if (former)
		stint_object_unref(&former->meta);
}

void stint_engine_slice_upsert(struct stint_engine *engine, struct stint_resource_slice *slice)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT, .object = &slice->meta});
	struct claim_state *dra = &engine->dra;
	engine_drop_reservations(engine);
	stint_object_ref(&slice->meta);
	uint32_t at = slice_find(engine, slice->meta.name);
	if (at == STINT_NO_HANDLE) {
		if (!dra->free_slices.count)
			stint_grow(&dra->slices, &dra->slices_capacity, dra->slices_count + 1, sizeof(struct stint_resource_slice *));
		at = engine_take_slot(&dra->free_slices, &dra->slices_count);
		dra->slices[at] = NULL;
		stint_map_set(dra->slice_names, slice->meta.name, (void *)(uintptr_t)(at + 1));
	}
	set_slice(engine, at, slice);
}

void stint_engine_slice_remove(struct stint_engine *engine, const char *name)
{
	engine_tell(engine, &(struct stint_news){.kind = STINT_NEWS_OBJECT_GONE, .gone = STINT_KIND_RESOURCE_SLICE, .name = name});
	engine_drop_reservations(engine);
	const uint32_t at = slice_find(engine, name);
	if (at == STINT_NO_HANDLE)
		return;
	stint_map_remove(engine->dra.slice_names, name);
	set_slice(engine, at, NULL);
	handles_push(&engine->dra.free_slices, at);
}
