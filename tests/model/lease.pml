/*
 * One key in the shared tier, and the processes that read, write and invalidate
 * it: docs/decisions/lease-protocol.md in a form that spin can search through.
 *
 * What is one `atomic` block here is one command or one script there. Between two
 * of them anything may happen: another process's step, an expiry, a death.
 *
 * The source holds a version, which each commit raises; a copy is the version
 * that it was loaded at. Time is not modelled: whatever has an expiry may expire
 * at any moment, or never. Two things bound that, as they do in the protocol: a
 * write marker outlives the commit it stands for, and when nothing else can
 * happen any more leases, failures and markers have expired.
 *
 * Sizes:     READERS ROUNDS WRITERS INVALIDATIONS
 * Faults:    CRASHES (processes that die), EVICTIONS (the tier drops the key),
 *            RESTARTS (the tier comes back with an older state of the key)
 * Mutations: each LARDER_BROKEN_… is one mistake that the model must catch.
 */

#ifndef READERS
#define READERS 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef INVALIDATIONS
#define INVALIDATIONS 1
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef EVICTIONS
#define EVICTIONS 0
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif

/* A reader acquires once a round, so this is given to nobody else. */
#define TOKEN (me * (ROUNDS + 1) + rounds + 1)

#define ACTORS (READERS + WRITERS + INVALIDATIONS)

/* ------------------------------------------------------------ the shared tier */

mtype = { nothing, lease, value, failure, marker };

typedef Key {
  mtype kind;
  byte token;    /* lease: whose it is. value: who refreshes it, or 0 */
  byte version;  /* value: the source's, when it was read */
  byte boot;     /* value: of the server that took it */
  byte writers;  /* marker: one bit for each writer at work */
  byte ever;     /* marker: one bit for each that it ever had */
  bool contended /* marker: must not become a value */
};

Key key;
byte boot = 1;  /* of the server; a restart changes it */

/* ----------------------------------------------------------------- the source */

byte source = 0;
byte open_commits = 0;  /* one bit for each writer whose commit may still land */

/* ------------------------------------------- what the properties need to know */

byte unfinished = 0;        /* one bit for each writer that marked and has not finished */
byte acknowledged = 0;      /* the newest version that a writer was told is in */
byte changed_outside = 0;   /* commits by others whose invalidation has not come */
byte untold = 0;            /* one bit for each reader since whose acquire nothing was told */
byte holders = 0;           /* leases that are in force */
#ifdef CALM
byte loads = 0;             /* loads that began under a lease */
#endif
byte crashes = CRASHES;
byte ended = 0;

inline forget() {
  if :: key.kind == lease -> holders-- :: else fi;
  key.kind = nothing; key.token = 0; key.version = 0; key.boot = 0;
  key.writers = 0; key.ever = 0; key.contended = false
}

inline keep(read_version) {
  forget();
  key.kind = value; key.version = read_version; key.boot = boot
}

/* A tier that loses the key loses a write marker with it. Until the writer has
 * finished, a copy may then be older than its commit; the finish deletes it. Of a
 * writer that dies before that, the entry's ttl bounds what is left. */
#if EVICTIONS > 0 || RESTARTS > 0
#define MARKER_MAY_BE_LOST (unfinished != 0)
#else
#define MARKER_MAY_BE_LOST false
#endif

/* A copy that was just kept must be what the source holds, unless somebody
 * changed the source without the cache and has not told yet. */
inline check_kept() {
  assert(changed_outside > 0 || MARKER_MAY_BE_LOST || key.version == source)
}

inline usable(answer) {
#ifdef LARDER_BROKEN_RUN_UNCHECKED
  answer = (key.kind == value)
#else
  answer = (key.kind == value && key.boot == boot)
#endif
}

/* --------------------------------------------------------------------- readers */

/* What a process knew does not matter any more: fewer states for spin. */
#define leave()                                                        \
  atomic {                                                             \
    mine = 0; took_boot = 0; seen = 0; refreshing = false; hit = false \
  }

/* A reader is one process's flight for the key: read, acquire, load, fill. */
proctype Reader(byte me) {
  byte rounds = ROUNDS;
  byte mine = 0;           /* my token, while I load under one */
  byte took_boot = 0;      /* the run of the server that gave it */
  byte seen = 0;           /* the version that I loaded */
  bool refreshing = false;
  bool hit = false;

  do
  :: rounds == 0 -> break
  :: rounds > 0 ->
    rounds--; mine = 0; seen = 0; refreshing = false;
again:
    atomic {
      usable(hit);
      if
      :: hit ->
        /* A hit is never older than a write that was acknowledged before. */
        assert(key.version >= acknowledged);
        if
        :: key.token == 0 ->  /* old enough to refresh: one process does */
          mine = TOKEN; took_boot = boot; key.token = mine; refreshing = true
        :: goto answered
        fi
      :: !hit && key.kind == lease ->
#ifdef LARDER_BROKEN_ACQUIRE_OVERWRITES
        holders++; mine = TOKEN; took_boot = boot; key.token = mine
#else
        /* Somebody loads: wait until that ends, then look again. */
        goto waiting
#endif
      :: !hit && key.kind == failure -> goto answered
      :: !hit && key.kind == marker -> mine = 0  /* ask the source, keep nothing */
      :: !hit && (key.kind == nothing || key.kind == value) ->
#ifndef LARDER_BROKEN_VERSION_AFTER_LOAD
        forget();
        mine = TOKEN; took_boot = boot;
        key.kind = lease; key.token = mine; holders++
#endif
      fi;
      untold = untold | me;
#ifdef CALM
      if :: mine != 0 && !refreshing -> loads++ :: else fi
#endif
    };
    goto load;
waiting:
    key.kind != lease -> goto again;

load:
    if
    :: crashes > 0 -> atomic { crashes--; goto dead }
    :: seen = source; goto loaded
#ifdef FAILURES
    :: goto failed
#endif
    fi;
loaded:
    if
    :: crashes > 0 -> atomic { crashes--; goto dead }
    :: skip
    fi;
    atomic {
#ifdef LARDER_BROKEN_VERSION_AFTER_LOAD
      /* The right to fill is taken only now, when the version is already old. */
      if
      :: key.kind == nothing -> keep(seen); check_kept()
      :: else
      fi;
      goto answered;
#endif
      if
#ifdef LARDER_BROKEN_FILL_UNCHECKED
      :: mine != 0 && key.kind != marker ->
#else
#ifdef LARDER_BROKEN_RUN_UNCHECKED
      :: mine != 0 && key.token == mine ->
#else
      :: mine != 0 && key.token == mine && took_boot == boot ->
#endif
#endif
        keep(seen);
        assert(untold & me);  /* no fill after a later invalidation */
        check_kept()
      :: else  /* the lease is not mine any more, or I never had one */
      fi;
      goto answered
    };
failed:
    atomic {
      if
      :: mine != 0 && key.token == mine && key.kind == lease && took_boot == boot ->
        forget(); key.kind = failure
      :: mine != 0 && key.token == mine && key.kind == value && took_boot == boot ->
        key.token = 0
      :: else
      fi
    };
answered:
    leave()
  od;
dead:
  leave();
  ended++
}

/* --------------------------------------------------------------------- writers */

/* A write through larder: mark the key, commit, finish. `me` is its token. */
proctype Writer(byte me) {
  byte took_boot = 0;  /* the run of the server that took my mark */
  byte committed = 0;  /* the version that my commit made, 0: refused */

#ifdef LARDER_BROKEN_DELETE_BEFORE_COMMIT
  atomic { forget(); untold = 0 };
#else
  atomic {
    if
    :: key.kind == marker ->
      key.writers = key.writers | me; key.ever = key.ever | me
    :: else ->
      forget();
      key.kind = marker; key.writers = me; key.ever = me
    fi;
    took_boot = boot;
    untold = 0;
    unfinished = unfinished | me;
    open_commits = open_commits | me
  };
#endif
  if
  :: crashes > 0 -> atomic { crashes--; open_commits = open_commits & ~me; goto dead }
  :: skip
  fi;

  /* The commit is on its way. It lands, or is refused, whether I live or not. */
  if
  :: atomic { source++; committed = source; open_commits = open_commits & ~me }
  :: atomic { open_commits = open_commits & ~me }
  :: crashes > 0 -> atomic { crashes--; goto outcome_unknown }
  fi;
  if
  :: crashes > 0 -> atomic { crashes--; goto dead }
  :: skip
  fi;

#ifndef LARDER_BROKEN_DELETE_BEFORE_COMMIT
  atomic {
    if
    :: key.kind == marker && (key.writers & me) ->
      if
#ifdef LARDER_BROKEN_LAST_WRITER_FILLS
      :: committed != 0 && key.writers == me && !key.contended ->
#else
#ifdef LARDER_BROKEN_WRITER_RUN_UNCHECKED
      :: committed != 0 && key.ever == me && !key.contended ->
#else
      /* A marker that rose again may lack the mark of a writer that came later. */
      :: committed != 0 && key.ever == me && !key.contended && took_boot == boot ->
#endif
#endif
        keep(committed); check_kept()
      :: else ->
        key.writers = key.writers & ~me;
#ifndef LARDER_BROKEN_LAST_WRITER_FILLS
        key.contended = true;
#endif
        if :: key.writers == 0 -> forget() :: else fi
      fi
    :: key.kind == marker && !(key.writers & me) ->
      key.contended = true  /* mine was lost; whoever writes now must not keep */
    :: else -> forget()
    fi;
    untold = 0;
    unfinished = unfinished & ~me;
    if
    :: committed > acknowledged -> acknowledged = committed
    :: else
    fi
  };
#else
  if :: committed > acknowledged -> acknowledged = committed :: else fi;
#endif
  goto dead;

outcome_unknown:
  if
  :: atomic { source++; open_commits = open_commits & ~me }
  :: atomic { open_commits = open_commits & ~me }
  fi;
dead:
  atomic { committed = 0; took_boot = 0; ended++ }
}

/* ---------------------------------------------------------------- invalidations */

/* Somebody changes the source without the cache, and then tells larder. */
proctype Invalidation() {
  byte made;
  atomic { source++; made = source; changed_outside++ };
  atomic {
    if
#ifndef LARDER_BROKEN_INVALIDATION_DELETES_MARKER
    :: key.kind == marker -> key.contended = true
#endif
    :: else -> forget()
    fi;
    untold = 0;
    changed_outside--;
    if
    :: made > acknowledged && changed_outside == 0 -> acknowledged = made
    :: else
    fi
  };
  ended++
}

/* ---------------------------------------------------------------------- expiry */

inline expire_mark(who) {
  key.writers = key.writers & ~who;
  if :: key.writers == 0 -> forget() :: else fi
}

/* Leases, failures and refresh tokens expire at any moment; a marker only when
 * no commit that it stands for can land any more. */
proctype Expiry() {
end:
  do
  :: atomic { key.kind == lease -> forget() }
  :: atomic { key.kind == failure -> forget() }
  :: atomic { key.kind == value && key.token != 0 -> key.token = 0 }
#ifdef LARDER_BROKEN_MARKER_EXPIRES_EARLY
  :: atomic { key.kind == marker -> forget() }
#else
  :: atomic { key.kind == marker && (key.writers & open_commits) == 0 -> forget() }
#ifdef MARKS_END_ALONE
  /* A writer's time in it may be up before the others'. */
  :: atomic { key.kind == marker && (key.writers & 1 & ~open_commits) -> expire_mark(1) }
  :: atomic { key.kind == marker && (key.writers & 2 & ~open_commits) -> expire_mark(2) }
#endif
#endif
  od
}

#if EVICTIONS > 0
proctype Eviction() {
  byte left = EVICTIONS;
end:
  do
  :: atomic { left > 0 && key.kind != nothing -> forget(); left-- }
  od
}
#endif

#if RESTARTS > 0
/* The server saves what it holds at some moment, and at a later one comes back
 * with that, under another run. What was deleted since has risen again. */
proctype Restart() {
  Key saved;
  atomic {
    saved.kind = key.kind; saved.token = key.token; saved.version = key.version;
    saved.boot = key.boot; saved.writers = key.writers; saved.ever = key.ever;
    saved.contended = key.contended
  };
  atomic {
    forget();
    key.kind = saved.kind; key.token = saved.token; key.version = saved.version;
    key.boot = saved.boot; key.writers = saved.writers; key.ever = saved.ever;
    key.contended = saved.contended;
    if :: key.kind == lease -> holders++ :: else fi;
    boot++
  }
}
#endif

/* ----------------------------------------------------------------------- judge */

proctype Judge() {
  bool left_usable = false;
  (ended == ACTORS && key.kind != lease && key.kind != marker && key.kind != failure);
  atomic {
    usable(left_usable);
    /* Nothing is stale for ever: what remains is what the source holds. */
    assert(!left_usable || MARKER_MAY_BE_LOST || key.version == source);
#ifdef CALM
    assert(loads == 1)  /* nobody died, wrote or invalidated: one load for all */
#endif
  }
}

active proctype Watch() {
end:
  do
  :: atomic { holders > 1 -> assert(false) }  /* at most one lease */
  od
}

init {
  byte i = 0;
  atomic {
    key.kind = nothing;
    do :: i < READERS -> run Reader(1 << i); i++ :: else -> break od;
    i = 0;
    do :: i < WRITERS -> run Writer(1 << i); i++ :: else -> break od;
    i = 0;
    do :: i < INVALIDATIONS -> run Invalidation(); i++ :: else -> break od;
    run Judge();
#ifndef CALM
    run Expiry();
#endif
#if EVICTIONS > 0
    run Eviction();
#endif
#if RESTARTS > 0
    run Restart();
#endif
  }
}
