/*
 * The lease protocol on one key of a Memcached server, and the processes that ask
 * it: docs/decisions/memcached.md in a form that spin can search through. Beside
 * lease.pml, which has the same steps as scripts, this has what is otherwise here:
 *
 *   - a step is a read, and a set of the item that was seen (CAS) or an addition;
 *     an invalidation is one command that leaves a stale item
 *   - copies carry the cache's generation, which a clear takes away
 *   - each process has one connection, over which its commands go in order, and
 *     trusts the server only while that was told of all that the process invalidated
 *   - the server goes away, and comes back with what it had, or empty
 *
 * What is one `atomic` block here is one command there, with what its caller makes
 * of the answer. Of a connection that is lost, what is on its way may have been
 * done, or be done later. CAS is modelled by who has seen the item as it is: any
 * change makes nobody have. Whatever has an expiry may expire at any moment, but a
 * marker only when no commit that it stands for can land any more.
 *
 * Sizes:     READERS WRITERS INVALIDATIONS, of two processes in turn; CLEARS: an
 *            invalidation may be a clear; REFRESHES: who finds a copy may renew it, and
 *            who finds a lease may take it over
 * Faults:    CRASHES (readers and writers that die), EVICTIONS (of the item or the
 *            generation), CUTS (one process's connection), STOPS (the server),
 *            REFUSALS (it answers an invalidation or the end of a write with an error),
 *            FULL (it refuses to store, and the item that was to be replaced is gone),
 *            UNKNOWNS (a writer is not told whether its commit was done, which may land)
 * Mutations: each LARDER_BROKEN_… is one mistake that the model must catch.
 */

#ifndef READERS
#define READERS 2
#endif
#ifndef WRITERS
#define WRITERS 1
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
#ifndef CUTS
#define CUTS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef REFUSALS
#define REFUSALS 0
#endif
#ifndef FULL
#define FULL 0
#endif
#ifndef UNKNOWNS
#define UNKNOWNS 0
#endif

#define ACTORS (READERS + WRITERS + INVALIDATIONS)

/* ------------------------------------------------------------------ the server */

mtype = { nothing, lease, value, failure, marker };

typedef Item {
  mtype kind;
  bool stale;    /* a marker: contended; all else: as nothing, but an item */
  byte token;    /* lease: whose it is */
  byte version;  /* value: the source's, when it was read */
  byte gen;      /* value: the generation that it carries */
  byte writers;  /* marker: one bit for each writer at work */
  bool contended /* marker: must not become a value */
};

Item item;
byte gen = 0;      /* of the cache; 0: there is none */
byte gens = 0;     /* that there were */
byte current = 0;  /* one bit for each who has seen the item as it is now */
bool up = true;
byte boot = 1;     /* of the server */

/* ------------------------------------------------------------------ a process */

#define KEY 1
#define WHOLE 2

typedef Process {
  bool connected;
  byte connection;   /* its number; the next one's, when there is none */
  bool trusted;      /* the server was told of everything */
  byte trust;        /* times that it became so */
  byte queued;       /* what is on its way to be told, in front of all else */
  byte undelivered;  /* what has yet to be told */
  byte ending;       /* writes whose end is on its way, or that no mark says may still land */
  byte acked;        /* the newest version that the process was told is in */
  byte unsure;       /* one bit for each write of unknown outcome that has no mark */
  byte landed        /* the version of one of them, once it has landed */
};

Process process[2];

/* ----------------------------------------------------------------- the source */

byte source = 0;
byte open_commits = 0;  /* one bit for each writer whose commit may still land */

/* ------------------------------------------- what the properties need to know */

byte unfinished = 0;       /* one bit for each writer whose end was not told */
byte changed_outside = 0;  /* commits by others whose invalidation has not come */
byte untold = 0;           /* one bit for each reader since whose lease nothing was told */
byte overtaken = 0;        /* one bit for each reader whose lease another took over */
byte crashes = CRASHES;
byte refusals = REFUSALS;
byte no_room = FULL;
byte unknowns = UNKNOWNS;
byte ended = 0;
#ifdef CALM
byte loads = 0;            /* loads that began under a lease */
#endif

/* A mark that was lost or not taken: until the writer's end was told a copy may be
 * older than its commit. Of a writer that dies before that, the ttl bounds it. */
#if EVICTIONS + CUTS + STOPS + REFUSALS + FULL > 0
#define MARKER_MAY_BE_LOST (unfinished != 0)
#else
#define MARKER_MAY_BE_LOST false
#endif

#define TELLING(p) (process[p].queued != 0 || process[p].undelivered != 0)
#define USABLE (item.kind == value && !item.stale && item.gen == gen && gen != 0)
#define LEASED (item.kind == lease && !item.stale)

inline check_kept() {
  assert(!USABLE || changed_outside > 0 || MARKER_MAY_BE_LOST || TELLING(0) || TELLING(1) ||
         item.version == source)
}

/* ------------------------------------------------------- what the server does */

inline forget() {
  item.kind = nothing; item.stale = false; item.token = 0; item.version = 0; item.gen = 0;
  item.writers = 0; item.contended = false; current = 0
}

inline keep(read_version, under) {
  forget();
  item.kind = value; item.version = read_version; item.gen = under
}

inline invalidate() {
#ifdef LARDER_BROKEN_INVALIDATION_DELETES
  forget();
#else
  if
  :: item.kind == nothing
  :: item.kind == marker -> item.stale = true; current = 0
  :: else -> keep(0, 0); item.stale = true
  fi;
#endif
  untold = 0
}

inline clear() {
  gen = 0;
#ifdef LARDER_BROKEN_GENERATION_COMES_AGAIN
  gens = 0
#endif
}

inline see(who) {
  none = (item.kind == nothing);
  if :: !none -> current = current | who :: else fi
}

#define AS_SEEN(who) ((none && item.kind == nothing) || (!none && (current & who)))

inline set_mark(me) {
  if
  :: item.kind == marker ->
    item.contended = ((item.writers & ~me) != 0);
    item.writers = item.writers | me; item.stale = false; current = 0
  :: else ->
    forget();
    item.kind = marker; item.writers = me
  fi;
  untold = 0
}

/* A marker that was not invalidated, and had no other writer. */
#ifdef LARDER_BROKEN_STALE_MARK_FILLS
#define UNCONTENDED (!item.contended)
#else
#define UNCONTENDED (!item.contended && !item.stale)
#endif

#ifdef LARDER_BROKEN_FILL_UNCOMPARED
#define MAY_FILL(who) (item.kind != marker)
#else
#define MAY_FILL(who) (current & who)
#endif

#ifdef LARDER_BROKEN_TRUSTED_BEFORE_TOLD
#define TOLD(p) true
#else
#define TOLD(p) (process[p].undelivered == 0)
#endif

/* A command of this connection can be carried out; its connection is lost; and what
 * was on its way then arrives all the same, if the server is still the same run. */
#define CAN(p, c) \
  (up && process[p].connected && process[p].connection == c && process[p].queued == 0)
#define LOST(p, c) (process[p].connection != c)
#define LATE(p, c, r) (LOST(p, c) && up && boot == r)

/* --------------------------------------------------------------------- readers */

inline take_lease() {
  if :: LEASED -> overtaken = overtaken | item.token :: else fi;
  forget(); item.kind = lease; item.token = me
}

/* A reader is one flight of process p for the key; `me` is its bit and its token. */
proctype Reader(byte p; byte me) {
  byte c = 0;      /* the connection that it goes over */
  byte r = 0;      /* the run of the server */
  byte t = 0;      /* the trust under which it began */
  byte g = 0;      /* the generation that it saw */
  byte least = 0;  /* no copy may be older: acknowledged before the read began */
  byte since = 0;  /* nor than this, while the process leaves the key to the source */
  byte seen = 0;   /* the version that it loaded */
  bool none = false;
  bool mine = false;
  bool refreshing = false;

  atomic {
    least = process[p].acked;
    since = process[p].landed;
    if
    :: process[p].trusted -> c = process[p].connection; t = process[p].trust; r = boot
    :: else -> goto pass
    fi
  };
  atomic {
#ifndef LARDER_BROKEN_END_UNSEEN
    if :: process[p].ending > 0 -> goto pass :: else fi
#else
    skip
#endif
  };

look:
  atomic {
    if
    :: LOST(p, c) -> goto pass
    :: CAN(p, c) && gen == 0 -> goto make
    :: CAN(p, c) && gen != 0 -> g = gen
    fi
  };
  atomic {
    if
    :: LOST(p, c) -> goto pass
    :: CAN(p, c) ->
      see(me);
      if
#ifndef LARDER_BROKEN_TRUST_NOT_ASKED_AGAIN
      :: !process[p].trusted || process[p].trust != t -> goto pass
      :: process[p].trusted && process[p].trust == t ->
#else
      :: true ->
#endif
        if
        :: item.kind == marker -> goto pass
        :: item.kind == value && !item.stale && item.gen == g ->
          /* A hit is never older than what the process was told before. */
          assert(item.version >= least);
          assert(item.version >= since || process[p].landed < since);
          if
          :: goto answered
#ifdef REFRESHES
          :: mine = true; refreshing = true; goto load
#endif
          fi
        :: LEASED ->
          if
          :: goto waiting
#ifdef REFRESHES
          :: true  /* what the other loads may be from before this one was asked for */
#endif
          fi
        :: item.kind == failure && !item.stale -> goto answered
        :: else
        fi
      fi
    fi
  };
  atomic {
    if
    :: LOST(p, c) -> goto pass
    :: LATE(p, c, r) && AS_SEEN(me) -> take_lease(); goto pass  /* nobody knows of it */
    :: CAN(p, c) && !AS_SEEN(me) -> goto look  /* somebody was quicker */
    :: CAN(p, c) && AS_SEEN(me) -> take_lease(); mine = true
    :: CAN(p, c) && no_room > 0 -> no_room--; forget(); goto pass
    fi;
    untold = untold | me
#ifdef CALM
    ; loads++
#endif
  };
  goto load;
make:
  atomic {
    if
    :: LOST(p, c) -> goto pass
    :: CAN(p, c) ->
      if :: gen == 0 -> gens++; gen = gens :: else fi
    fi;
    goto look
  };
waiting:
  atomic {
    if
    :: LOST(p, c) -> goto pass
    :: !LEASED -> goto look
    fi
  };

pass:
  skip;
load:
  atomic { none = false; least = 0; since = 0; t = 0 };
  if
  :: crashes > 0 -> atomic { crashes--; goto dead }
  :: seen = source
#ifdef FAILURES
  :: goto failed
#endif
  fi;
  atomic {
#ifdef LARDER_BROKEN_GENERATION_AFTER_LOAD
    g = gen;
#endif
    if
    :: !mine -> goto answered
    :: mine && refreshing  /* the item as it was seen is its right */
    :: mine && !refreshing && process[p].trusted -> c = process[p].connection; r = boot
    :: mine && !refreshing && !process[p].trusted -> goto answered
    fi
  };
fill:
  atomic {
    if
    :: refreshing
    :: !refreshing && LOST(p, c) -> goto answered
    :: !refreshing && CAN(p, c) ->
      if
#ifdef LARDER_BROKEN_FILL_OF_ANOTHERS_LEASE
      :: LEASED -> current = current | me
#else
      :: LEASED && item.token == me -> current = current | me
#endif
      :: else -> goto answered
      fi
    fi
  };
  atomic {
    if
    :: LOST(p, c) -> goto answered
    :: (CAN(p, c) || LATE(p, c, r)) && MAY_FILL(me) ->
      keep(seen, g);
      assert(refreshing || (untold & me));  /* no fill after a later invalidation */
      assert(!(overtaken & me));            /* nor after a refresh that began later */
      check_kept();
      goto answered
    :: CAN(p, c) && !(current & me) ->
      if :: refreshing -> goto answered :: else -> goto fill fi
    :: CAN(p, c) && no_room > 0 -> no_room--; forget(); goto answered
#ifdef LARDER_BROKEN_CAS_OF_ANOTHER_RUN
    /* Another run counts from the beginning, to numbers that were seen before. */
    :: refreshing && up && boot != r && item.kind == value -> keep(seen, gen); check_kept();
      goto answered
#endif
    fi
  };
failed:
  atomic {
    if
    :: mine && !refreshing && process[p].trusted && up && process[p].queued == 0 && LEASED &&
       item.token == me -> forget(); item.kind = failure
    :: else
    fi
  };
answered:
dead:
  atomic {
    c = 0; r = 0; t = 0; g = 0; least = 0; since = 0; seen = 0; none = false; mine = false;
    refreshing = false; current = current & ~me; ended++
  }
}

/* --------------------------------------------------------------------- writers */

/* A write through process p: mark the key, commit, finish. `me` is its mark, and
 * `eye` tells whether it has seen the item as it is. */
proctype Writer(byte p; byte me; byte eye) {
  byte c = 0;
  byte r = 0;
  byte g = 0;          /* the generation, from before the mark */
  byte committed = 0;  /* the version that its commit made, 0: refused */
  bool none = false;
  bool taken = false;
  bool lost = false;   /* what it saw at the end was no marker: its mark was lost */
  bool refused = false;  /* its mark, once, by a full server */

  atomic {
    unfinished = unfinished | me;
    open_commits = open_commits | me;
    if
    :: process[p].trusted -> c = process[p].connection; r = boot
    :: else -> goto commit
    fi
  };
  atomic {
    if
    :: LOST(p, c) -> goto commit
    :: CAN(p, c) -> g = gen
    fi
  };
mark:
  atomic {
    if
    :: LOST(p, c) -> goto commit
    :: CAN(p, c) -> see(eye)
    fi
  };
  atomic {
    if
    :: LOST(p, c)
    :: LATE(p, c, r) && AS_SEEN(eye) -> set_mark(me)
    :: CAN(p, c) && !AS_SEEN(eye) -> goto mark
    :: CAN(p, c) && AS_SEEN(eye) -> set_mark(me); taken = true
    :: CAN(p, c) && no_room > 0 ->
      no_room--; forget();
      if :: refused :: !refused -> refused = true; goto mark fi
    fi;
    refused = false
  };

commit:
  if
  :: crashes > 0 -> atomic { crashes--; open_commits = open_commits & ~me; goto dead }
  :: skip
  fi;
  /* The commit is on its way. It lands, or is refused, whether its process lives or not. */
  if
  :: atomic { source++; committed = source; open_commits = open_commits & ~me }
  :: atomic { open_commits = open_commits & ~me }
  :: crashes > 0 -> atomic { crashes--; goto outcome_unknown }
  :: atomic { unknowns > 0 -> unknowns-- }; goto leave
  fi;
  if
  :: crashes > 0 -> atomic { crashes--; goto dead }
  :: skip
  fi;

  atomic {
    if :: committed > process[p].acked -> process[p].acked = committed :: else fi;
    if
    :: process[p].trusted -> c = process[p].connection; r = boot; process[p].ending++
    :: else ->
      process[p].undelivered = process[p].undelivered | KEY;
      unfinished = unfinished & ~me;
      goto dead
    fi
  };
finish:
  atomic {
    if
    :: LOST(p, c) -> goto not_told
    :: CAN(p, c) && item.kind == nothing -> goto told
    :: CAN(p, c) && item.kind != nothing ->
      current = current | eye;
      lost = (item.kind != marker)
    fi
  };
end_it:
  atomic {
    if
    :: LOST(p, c) -> goto not_told
    :: CAN(p, c) && refusals > 0 -> refusals--; goto not_told
    :: CAN(p, c) && !lost && no_room > 0 -> no_room--; forget(); lost = true; goto end_it
    :: (CAN(p, c) || LATE(p, c, r)) && lost -> invalidate()
    :: CAN(p, c) && !lost && !(current & eye) -> goto finish
    :: (CAN(p, c) || LATE(p, c, r)) && !lost && (current & eye) ->
      if
      :: committed != 0 && taken && g != 0 && item.writers == me && UNCONTENDED ->
        keep(committed, g); check_kept()
      :: else ->
        item.writers = item.writers & ~me;
        item.contended = true; item.stale = false; current = 0;
        if :: item.writers == 0 -> forget() :: else fi
      fi;
      untold = 0
    fi;
    if :: LOST(p, c) -> goto not_told :: else fi
  };
told:
  atomic {
    process[p].ending--;
    unfinished = unfinished & ~me;
    goto dead
  };
not_told:
  atomic {
    process[p].ending--;
    process[p].trusted = false;
    process[p].undelivered = process[p].undelivered | KEY;
    unfinished = unfinished & ~me;
    goto dead
  };

/* Its process lives, and marks the key once more, for as long as the commit may land. */
leave:
  atomic {
    run Landing(p, me);
    process[p].ending++; process[p].unsure = process[p].unsure | me;
    if
    :: process[p].trusted -> c = process[p].connection; r = boot
    :: else -> goto unmarked
    fi
  };
leave_mark:
  atomic {
    if
    :: LOST(p, c) -> goto unmarked
    :: CAN(p, c) -> see(eye)
    fi
  };
  atomic {
    if
    :: LOST(p, c) -> goto unmarked
    :: CAN(p, c) && !AS_SEEN(eye) -> goto leave_mark
    :: CAN(p, c) && AS_SEEN(eye) -> set_mark(me); goto left
    :: CAN(p, c) && no_room > 0 ->
      no_room--; forget();
      if
#ifdef LARDER_BROKEN_REFUSED_MARK_IS_ONE
      :: refused -> process[p].ending--; goto dead
#else
      :: refused -> goto unmarked
#endif
      :: !refused -> refused = true; goto leave_mark
      fi
    fi
  };
unmarked:
  atomic {
    process[p].trusted = false;
    process[p].undelivered = process[p].undelivered | KEY
  };
  /* The key is left to the source until the commit cannot land any more. */
  (open_commits & me) == 0;
left:
  atomic {
    process[p].ending--; process[p].unsure = process[p].unsure & ~me; process[p].landed = 0;
    goto dead
  };

outcome_unknown:
  if
  :: atomic { source++; open_commits = open_commits & ~me }
  :: atomic { open_commits = open_commits & ~me }
  fi;
dead:
  atomic {
    c = 0; r = 0; g = 0; committed = 0; none = false; taken = false; lost = false;
    refused = false; current = current & ~eye; ended++
  }
}

/* A commit of unknown outcome, which a read that begins behind it must not undo. */
proctype Landing(byte p; byte me) {
  if
  :: atomic {
      source++; open_commits = open_commits & ~me;
      if :: process[p].unsure & me -> process[p].landed = source :: else fi
    }
  :: atomic { open_commits = open_commits & ~me }
  fi
}

/* ---------------------------------------------------------------- invalidations */

/* Somebody changes the source without the cache, and then tells process p. */
proctype Invalidation(byte p) {
  byte made = 0;
  byte what = KEY;
  atomic { source++; made = source; changed_outside++ };
#ifdef CLEARS
  if :: what = WHOLE :: skip fi;
#endif
  atomic {
    changed_outside--;
    if :: made > process[p].acked -> process[p].acked = made :: else fi;
    if
    :: process[p].trusted -> process[p].queued = process[p].queued | what
    :: else -> process[p].undelivered = process[p].undelivered | what
    fi;
    made = 0; what = 0; ended++
  }
}

/* -------------------------------------------------------------- the connections */

inline tell(what) {
  if :: what & KEY -> invalidate() :: else fi;
  if :: what & WHOLE -> clear() :: else fi;
  what = 0
}

inline lose(p) {
  if
  :: process[p].connected ->
    process[p].connected = false; process[p].trusted = false; process[p].connection++;
    process[p].undelivered = process[p].undelivered | process[p].queued;
    process[p].queued = 0
  :: else
  fi
}

proctype Connection(byte p) {
end:
  do
  :: atomic {
      process[p].connected && up && process[p].queued != 0 ->
      if
      :: true -> tell(process[p].queued)
      :: refusals > 0 ->
        refusals--;
        process[p].undelivered = process[p].undelivered | process[p].queued;
        process[p].queued = 0; process[p].trusted = false
      fi
    }
  /* The ends of all that went over the old connection are known before there is another. */
  :: atomic { !process[p].connected && up && process[p].ending == 0 -> process[p].connected = true }
  :: atomic {
      process[p].connected && up && !process[p].trusted && process[p].queued == 0 &&
      process[p].undelivered != 0 ->
#if CUTS + STOPS > 0
      /* There may be too many keys, of which this is one. */
      if
      :: process[p].undelivered = WHOLE
      :: skip
      fi;
#endif
      tell(process[p].undelivered)
    }
  :: atomic {
      process[p].connected && up && !process[p].trusted && TOLD(p) ->
      process[p].trusted = true; process[p].trust++
    }
  od
}

#if CUTS > 0
proctype Network() {
  byte left = CUTS;
end:
  do
  :: atomic { left > 0 -> left--; if :: true -> lose(0) :: true -> lose(1) fi }
  od
}
#endif

#if STOPS > 0
/* The server is away, and is there again with what it had, or without. */
proctype Server() {
  byte left = STOPS;
end:
  do
  :: atomic { up && left > 0 -> left--; up = false; lose(0); lose(1) }
  :: atomic { !up -> up = true; if :: true :: true -> forget(); gen = 0; boot++ fi }
  od
}
#endif

/* ---------------------------------------------------------------------- expiry */

proctype Expiry() {
end:
  do
  :: atomic { item.kind == lease -> forget() }
  :: atomic { item.kind == failure -> forget() }
  :: atomic { item.kind == marker && (item.writers & open_commits) == 0 -> forget() }
  od
}

#if EVICTIONS > 0
proctype Eviction() {
  byte left = EVICTIONS;
end:
  do
  :: atomic { left > 0 && item.kind != nothing -> forget(); left-- }
  :: atomic { left > 0 && gen != 0 -> gen = 0; left-- }
  od
}
#endif

/* ----------------------------------------------------------------------- judge */

proctype Judge() {
  (ended == ACTORS && up && item.kind != lease && item.kind != marker && item.kind != failure &&
   process[0].trusted && process[1].trusted && process[0].queued == 0 && process[1].queued == 0);
  atomic {
    /* Nothing is stale for ever: what remains is what the source holds. */
    assert(!USABLE || MARKER_MAY_BE_LOST || item.version == source);
#ifdef CALM
    assert(loads == 1)  /* nobody died, wrote or invalidated: one load for all */
#endif
  }
}

init {
  byte i = 0;
  atomic {
    item.kind = nothing;
    do
    :: i < 2 ->
      process[i].connected = true; process[i].connection = 1;
      process[i].trusted = true; process[i].trust = 1; i++
    :: else -> break
    od;
    i = 0;
    do :: i < READERS -> run Reader(i % 2, 1 << i); i++ :: else -> break od;
    i = 0;
    do :: i < WRITERS -> run Writer(i % 2, 1 << i, 1 << (READERS + i)); i++ :: else -> break od;
    i = 0;
    do :: i < INVALIDATIONS -> run Invalidation(i % 2); i++ :: else -> break od;
    run Judge();
    run Connection(0);
    run Connection(1);
#ifndef CALM
    run Expiry();
#endif
#if EVICTIONS > 0
    run Eviction();
#endif
#if CUTS > 0
    run Network();
#endif
#if STOPS > 0
    run Server();
#endif
  }
}
