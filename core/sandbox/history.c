/*
 * The history of the store: who wants to know what happened. Watches read it at their own pace; subscribers in this process are told.
 *
 * Rings, bounded by the number of events and by the bytes of states that only the history keeps alive. An event is not dropped before
 * the subscribers were told of it. Readers hold a number, not a pointer, and find out for themselves that they are too late.
 */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_PER_TURN = 256 };

const struct stint_store_event *stint_history_at(const struct history *history, uint64_t number)
{
	return &history->slots[number & (history->capacity - 1)];
}

uint64_t stint_history_after(const struct history *history, uint64_t version)
{
	uint64_t low = history->first, high = history->next;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (stint_history_at(history, middle)->version <= version)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Doubles a ring of power-of-two capacity; item n stays at n & mask. */
static void *grow_ring(void *slots, size_t *capacity, size_t item_size, uint64_t first, uint64_t next)
{
	size_t old = *capacity, wider = old ? old * 2 : 16;
	char *grown = stint_alloc(wider * item_size);

	for (uint64_t n = first; n < next; n++)
		memcpy(grown + (n & (wider - 1)) * item_size, (char *)slots + (n & (old - 1)) * item_size, item_size);
	free(slots);
	*capacity = wider;
	return grown;
}

static void drop_oldest(struct stint_store *store)
{
	struct collection *collection = store->order[store->order_first++ & (store->order_capacity - 1)];
	struct stint_store_event *event;

	if (!collection)
		return; /* of a kind that was dropped */
	event = &collection->history.slots[collection->history.first++ & (collection->history.capacity - 1)];
	store->compacted = event->version;
	if (event->before)
		store->history_bytes -= event->before->length;
	stint_stored_release(event->before);
	stint_stored_release(event->now);
}

static void cut(struct stint_store *store)
{
	while (store->order_first < store->order_told &&
		(store->order_next - store->order_first > store->limits.history_events ||
			store->history_bytes > store->limits.history_bytes))
		drop_oldest(store);
}

void stint_history_append(struct stint_store *store, struct collection *collection, const struct stint_store_event *event)
{
	struct history *history = &collection->history;

	if (history->next - history->first == history->capacity)
		history->slots = grow_ring(history->slots, &history->capacity, sizeof(*event), history->first, history->next);
	history->slots[history->next++ & (history->capacity - 1)] = *event;
	if (event->before)
		store->history_bytes += event->before->length;

	if (store->order_next - store->order_first == store->order_capacity)
		store->order =
			grow_ring(store->order, &store->order_capacity, sizeof(store->order[0]), store->order_first, store->order_next);
	store->order[store->order_next++ & (store->order_capacity - 1)] = collection;

	for (struct stint_store_reader *reader = collection->readers; reader; reader = reader->next) {
		if (!reader->idle)
			continue;
		reader->idle = false;
		reader->on_news(reader->user);
	}
	if (!stint_timer_active(store->teller))
		stint_timer_set(store->teller, 0);
}

void stint_history_forget(struct stint_store *store, struct collection *collection)
{
	for (uint64_t n = collection->history.first; n < collection->history.next; n++) {
		const struct stint_store_event *event = stint_history_at(&collection->history, n);

		if (event->before)
			store->history_bytes -= event->before->length;
		stint_stored_release(event->before);
		stint_stored_release(event->now);
	}
	collection->history.first = collection->history.next;
	collection->told = collection->history.next;
	for (uint64_t n = store->order_first; n < store->order_next; n++) {
		struct collection **slot = &store->order[n & (store->order_capacity - 1)];

		if (*slot == collection)
			*slot = NULL;
	}
	for (struct stint_store_reader *reader = collection->readers; reader; reader = reader->next) {
		reader->lost = true;
		if (reader->idle) {
			reader->idle = false;
			reader->on_news(reader->user);
		}
	}
}

/* ---- subscribers ------------------------------------------------------------------------------------------------------------------ */

/* An event on its way, with the trees that somebody asked for. The event stands first: its address is the delivery's. */
struct delivery {
	struct stint_store_event event;
	struct stint_json *before, *now;
};

static struct delivery *delivery_of(const struct stint_store_event *event)
{
	return (struct delivery *)(uintptr_t)event;
}

const struct stint_json *stint_event_before(const struct stint_store_event *event)
{
	struct delivery *delivery = delivery_of(event);

	if (!delivery->before && event->before)
		delivery->before = stint_stored_parse(event->before);
	return delivery->before;
}

const struct stint_json *stint_event_now(const struct stint_store_event *event)
{
	struct delivery *delivery = delivery_of(event);

	if (!delivery->now && event->now)
		delivery->now = stint_stored_parse(event->now);
	return delivery->now;
}

static void sweep_subscriptions(struct stint_store *store)
{
	for (struct stint_subscription **at = &store->subscriptions; *at;) {
		struct stint_subscription *subscription = *at;

		if (!subscription->dead) {
			at = &subscription->next;
			continue;
		}
		*at = subscription->next;
		free(subscription);
	}
}

static void tell_one(struct stint_store *store, struct collection *collection)
{
	struct delivery delivery = {.event = *stint_history_at(&collection->history, collection->told++)};

	stint_stored_hold(delivery.event.before);
	stint_stored_hold(delivery.event.now);
	for (struct stint_subscription *to = store->subscriptions; to; to = to->next) {
		if (!to->dead && (!to->only || to->only == collection) && delivery.event.version > to->since)
			to->on_event(to->user, &delivery.event);
	}
	stint_json_free(delivery.before);
	stint_json_free(delivery.now);
	stint_stored_release(delivery.event.before);
	stint_stored_release(delivery.event.now);
}

void stint_history_tell(void *user)
{
	struct stint_store *store = user;

	store->telling = true;
	for (int n = 0; n < TOLD_PER_TURN && store->order_told < store->order_next; n++) {
		struct collection *collection = store->order[store->order_told++ & (store->order_capacity - 1)];

		if (collection)
			tell_one(store, collection);
	}
	store->telling = false;
	sweep_subscriptions(store);
	cut(store);
	if (store->order_told < store->order_next)
		stint_timer_set(store->teller, 0);
}

struct stint_subscription *stint_store_subscribe(struct stint_store *store, const struct stint_kind *kind,
	void (*on_event)(void *user, const struct stint_store_event *event), void *user)
{
	struct stint_subscription *subscription = stint_alloc(sizeof(*subscription)), **end = &store->subscriptions;

	*subscription = (struct stint_subscription){.store = store, .on_event = on_event, .user = user, .since = store->version};
	subscription->only = kind ? stint_store_collection(store, kind) : NULL;
	while (*end)
		end = &(*end)->next;
	*end = subscription;
	return subscription;
}

void stint_store_unsubscribe(struct stint_subscription *subscription)
{
	if (!subscription)
		return;
	subscription->dead = true;
	if (!subscription->store->telling)
		sweep_subscriptions(subscription->store);
}

/* ---- readers ---------------------------------------------------------------------------------------------------------------------- */

struct stint_store_reader *stint_store_reader_new(
	struct stint_store *store, const struct stint_kind *kind, uint64_t version, void (*on_news)(void *user), void *user)
{
	struct stint_store_reader *reader = stint_alloc(sizeof(*reader));
	struct collection *collection = stint_store_collection(store, kind);

	*reader =
		(struct stint_store_reader){.store = store, .collection = collection, .on_news = on_news, .user = user, .version = version};
	reader->lost = version < store->compacted;
	reader->number = stint_history_after(&collection->history, version);
	reader->next = collection->readers;
	if (reader->next)
		reader->next->previous = reader;
	collection->readers = reader;
	return reader;
}

static void let_go(struct stint_store_reader *reader)
{
	stint_stored_release(reader->event.before);
	stint_stored_release(reader->event.now);
	reader->event = (struct stint_store_event){0};
}

const struct stint_store_event *stint_store_reader_next(struct stint_store_reader *reader, bool *lost)
{
	const struct history *history = &reader->collection->history;

	let_go(reader);
	if (reader->number < history->first)
		reader->lost = true;
	*lost = reader->lost;
	if (reader->lost)
		return NULL;
	while (reader->number < history->next && stint_history_at(history, reader->number)->version <= reader->version)
		reader->number++;
	if (reader->number == history->next) {
		reader->idle = true;
		return NULL;
	}
	reader->event = *stint_history_at(history, reader->number++);
	stint_stored_hold(reader->event.before);
	stint_stored_hold(reader->event.now);
	return &reader->event;
}

void stint_store_reader_free(struct stint_store_reader *reader)
{
	if (!reader)
		return;
	let_go(reader);
	if (reader->previous)
		reader->previous->next = reader->next;
	else
		reader->collection->readers = reader->next;
	if (reader->next)
		reader->next->previous = reader->previous;
	free(reader);
}
