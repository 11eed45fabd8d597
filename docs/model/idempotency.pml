/*
 * The protocol of idemproxy for one key, checked by spin (scripts/model). README.md beside this file says
 * which function of the code each step is, what is assumed, and what the bounds are.
 *
 * N requests with the same key arrive whenever they like, on two proxies: retries, concurrent duplicates
 * and retries after a hang-up are all orders of arrival. When everything has come to rest, the last
 * request asks once more, without faults: what it gets is what the key is worth in the end.
 *
 * Three kinds of process act:
 *   Exchange(r)  the proxy's steps for request r (proxy/exchange/exchange.cc, key_claim.cc)
 *   World(r)     what happens to r's messages: the store takes them late or never answers, the backend
 *                works for as long as it likes, the lease of r's claim runs out
 *   Faults       each proxy may die once; with -DFORGETS the store forgets its last write once
 *
 * Choose one:  -DLEGACY | -DRECONCILE (legacy too) | -DIDEMPOTENT | -DUPGRADE (a legacy backend learns to drop
 * duplicates; from then on the route of proxy 1 says so, that of proxy 0 never does) | -DFORGETS (legacy).
 * -DLIVENESS asks that every caller is answered, and leaves the last request out. The mutants are -DM_...; a run
 * with one of them must end in an error.
 */

#ifndef N
#define N 3
#endif
#define LAST N
#define REQUESTS (N + 1)
#define NOBODY REQUESTS /* no token; the token of request r is r */
#define PROXY(r) ((r) & 1)

/* `upstream_idempotent`, as the route of r's proxy says. */
#if defined(IDEMPOTENT)
#define IDEMPOTENT_ROUTE(r) true
#elif defined(UPGRADE)
#define IDEMPOTENT_ROUTE(r) (PROXY(r) == 1)
#else
#define IDEMPOTENT_ROUTE(r) false
#endif

/* --- The store: one record, and a mark for each withdrawn token ------------------------------------ */

mtype = { absent, executing, unknown, completed };

typedef Record {
  mtype state;
  byte token;
  byte answer /* of a completed one: which response */
};
Record rec;
bool withdrawn[REQUESTS];

#ifdef FORGETS
Record before; /* what the store falls back to when it forgets its last write */
bool may_forget = true, last_was_claim;
byte lost_claims;
bool told; /* duplicate_effect_possible was logged */
#ifdef M_PROMISE_ONE_EFFECT
#define EFFECTS_MAX 1
#else
#define EFFECTS_MAX (1 + lost_claims)
#endif
inline Remember(is_claim) {
  before.state = rec.state;
  before.token = rec.token;
  before.answer = rec.answer;
  last_was_claim = is_claim
}
#else
#define EFFECTS_MAX 1
#define Remember(is_claim) skip
#endif

inline Write(new_state, new_token, new_answer) {
  Remember((new_state == executing));
  rec.state = new_state;
  rec.token = new_token;
  rec.answer = new_answer
}

/* --- Leases, of each claim, in the store's time ---------------------------------------------------- */

#define ALIVE 0
#define ENDED 1
#define LONG_ENDED 2 /* reconcile's `after` has passed too */
byte lease[REQUESTS];

#define IS_ALIVE (rec.state == executing && lease[rec.token] == ALIVE)
#define IS_UNKNOWN (rec.state == unknown || (rec.state == executing && lease[rec.token] != ALIVE))

/* --- The backend: its work for each token ---------------------------------------------------------- */

/* answered: an effect and a response; refused: no effect, a response to record (a 422); not_acted: a
   response that releases (a 429); silent: no response, and it may have acted. */
mtype = { nothing, working, answered, refused, not_acted, silent };
mtype work[REQUESTS] = nothing;

byte effects;          /* of a backend that drops no duplicates */
byte deduped = NOBODY; /* whose send made the one effect of a backend that does */
#ifdef UPGRADE
bool upgraded;
#define SAYS_THE_TRUTH(r) (upgraded || !IDEMPOTENT_ROUTE(r))
#else
#define upgraded IDEMPOTENT_ROUTE(0)
#define SAYS_THE_TRUTH(r) true
#endif

#define EFFECTS (effects + (deduped != NOBODY))
/* A duplicate that was dropped is answered as the first was. (Spin has no `?:` in an inline's argument.) */
#define RESPONSE_TO(r) (r + (work[r] == answered && deduped != NOBODY) * (deduped - r))
#define SHOWN_TO(r) (REQUESTS + 1 + (r)) /* what a look-up finds need not be the response's bytes */

/* Safety 1: at most one effect. */
inline Act(r) {
  if
#if defined(IDEMPOTENT) || defined(UPGRADE)
  :: upgraded && deduped == NOBODY -> deduped = r
  :: upgraded && deduped != NOBODY
#endif
#ifndef IDEMPOTENT
  :: !upgraded -> effects++
#endif
  fi;
  assert(EFFECTS <= EFFECTS_MAX)
}

/* --- The exchanges --------------------------------------------------------------------------------- */

mtype = { idle, claiming, granted, forwarding, recording, waiting, looking, done };
mtype at[REQUESTS] = idle;
byte rested; /* requests that were answered, or whose caller saw the connection break */

bool asked[REQUESTS];             /* a begin is on its way to the store */
byte replaces[REQUESTS] = NOBODY; /* whose unknown claim it takes over */
byte looked[REQUESTS] = NOBODY;   /* whose claim was looked up at the backend */
#ifdef M_CHECK_THEN_ACT
bool checked[REQUESTS];
#endif

/* A settlement is delivered again and again, as retries and late copies are. */
mtype = { none, complete, release, mark, withdraw, found };
mtype settle[REQUESTS] = none;
bool settled[REQUESTS]; /* delivered at least once */

bool died[REQUESTS]; /* its process went before its claim was settled */
bool crashed[2];

byte seen = NOBODY; /* the executed answer that callers of this key were given */

#define FAULTS_ARE_OVER (at[LAST] != idle)
#define MAY_FAIL(r) (r != LAST)

inline Rest(r) {
  at[r] = done;
  rested++
}

inline Settle(r, how) {
  settle[r] = how;
  settled[r] = false
}

inline AskBegin(r, whose) {
  asked[r] = true;
  replaces[r] = whose;
  at[r] = claiming
}

/* Safety 2: no two different answers. */
inline Answer(r, what) {
  assert(seen == NOBODY || seen == what);
  seen = what;
  Rest(r)
}

/* Safety 3: `unknown` is never made up. The claim's request was sent, or its process died, or it is being
   settled. And where every unknown has a way out, the last request gets a response. */
inline AnswerUnknown(r) {
#if !defined(FORGETS) && !defined(M_CHECK_THEN_ACT) /* a store that forgets a release makes up an unknown */
  assert(work[rec.token] != nothing || died[rec.token] ||
         !(at[rec.token] == done && (settle[rec.token] == none || settled[rec.token])));
#endif
#if defined(RECONCILE) || defined(IDEMPOTENT)
  assert(r != LAST);
#endif
  Rest(r)
}

#define IS_AT_REST(r) (at[r] == done && !asked[r] && (settle[r] == none || settled[r]) && work[r] != working)
#ifdef RECONCILE
#define IS_OLD_NEWS (lease[rec.token] == LONG_ENDED)
#else
#define IS_OLD_NEWS (lease[rec.token] != ALIVE)
#endif
#define ALL_IS_QUIET                                                                                          \
  (IS_AT_REST(0) && IS_AT_REST(1) && IS_AT_REST(N - 1) &&                                                     \
   ((rec.state != executing && rec.state != unknown) || IS_OLD_NEWS))

#ifdef M_ASKERS_POLICY
#define MAY_TAKE_OVER(r) IDEMPOTENT_ROUTE(r)
#else
#define MAY_TAKE_OVER(r) (IDEMPOTENT_ROUTE(rec.token) && IDEMPOTENT_ROUTE(r))
#endif

#if defined(M_RECONCILE_IN_LEASE)
#define MAY_LOOK_UP (IS_UNKNOWN || IS_ALIVE)
#elif defined(M_RECONCILE_BEFORE_AFTER)
#define MAY_LOOK_UP IS_UNKNOWN
#else
#define MAY_LOOK_UP (IS_UNKNOWN && lease[rec.token] == LONG_ENDED)
#endif

/* What an exchange does about the record that holds its key (decision.cc, KeyClaim::OnHeld). */
inline OnHeld(r) {
  if
  :: rec.state == completed -> Answer(r, rec.answer)
#ifdef RECONCILE
  :: MAY_LOOK_UP ->
    looked[r] = rec.token;
    at[r] = looking
  :: IS_UNKNOWN && !MAY_LOOK_UP -> AnswerUnknown(r)
#else
#if defined(IDEMPOTENT) || defined(UPGRADE)
  :: IS_UNKNOWN && MAY_TAKE_OVER(r) -> AskBegin(r, rec.token)
#endif
#ifndef IDEMPOTENT
  :: IS_UNKNOWN && !MAY_TAKE_OVER(r) -> AnswerUnknown(r)
#endif
#endif
  :: IS_ALIVE -> at[r] = waiting
  fi
}

/* --- The proxy's steps ----------------------------------------------------------------------------- */

proctype Exchange(byte me) {
  do
  :: atomic { /* the request arrives: Exchange::Claim */
       at[me] == idle && (MAY_FAIL(me) || ALL_IS_QUIET) && SAYS_THE_TRUTH(me) ->
#ifdef M_EFFECT_BEFORE_CLAIM
       work[me] = working;
#endif
       AskBegin(me, NOBODY)
     }

    /* The store's answer comes too late or never: 503, and the begin is withdrawn (OnStoreSilent). */
#ifndef M_BEGIN_WITHOUT_DEADLINE
  :: atomic { (at[me] == claiming || at[me] == granted) && MAY_FAIL(me) -> Settle(me, withdraw); Rest(me) }
#endif

    /* Forward, OnUpstreamReady: the lease must cover the rest. */
  :: atomic {
       at[me] == granted ->
       if
#ifndef M_NO_LEASE_CHECK
       :: lease[me] != ALIVE -> Settle(me, release); at[me] = recording
       :: lease[me] == ALIVE ->
#else
       :: true ->
#endif
         at[me] = forwarding;
#ifndef M_EFFECT_BEFORE_CLAIM
         work[me] = working
#endif
       :: MAY_FAIL(me) -> Settle(me, release); at[me] = recording /* refused, or the caller has left */
       fi
     }

    /* What was seen of the backend: Conclude, claim_ending.cc. */
  :: atomic {
       at[me] == forwarding && (work[me] == answered || work[me] == refused) ->
       Settle(me, complete);
       at[me] = recording;
#ifdef M_ANSWER_BEFORE_RECORD
       Answer(me, RESPONSE_TO(me))
#endif
     }
  :: atomic { at[me] == forwarding && work[me] == not_acted -> Settle(me, release); at[me] = recording }
  :: atomic { /* a timeout, a reset */
       at[me] == forwarding && (work[me] == working || work[me] == silent) && MAY_FAIL(me) ->
       if
#ifndef IDEMPOTENT
#ifdef M_RELEASE_ON_TIMEOUT
       :: !IDEMPOTENT_ROUTE(me) -> Settle(me, release)
#else
       :: !IDEMPOTENT_ROUTE(me) -> Settle(me, mark)
#endif
#endif
#if defined(IDEMPOTENT) || defined(UPGRADE)
       :: IDEMPOTENT_ROUTE(me) -> Settle(me, release)
#endif
       fi;
       at[me] = recording
     }

    /* The store does not take the outcome in time (OnRecordTimeout): answered all the same, marked `unrecorded`;
       the settler goes on. */
#ifndef M_RECORD_WITHOUT_DEADLINE
  :: atomic { at[me] == recording && MAY_FAIL(me) -> Rest(me) }
#endif

    /* Somebody else executes: Wait, OnWoken, and 503 at the end of wait_timeout. */
  :: atomic { at[me] == waiting && !IS_ALIVE -> AskBegin(me, NOBODY) }
#ifndef M_WAIT_WITHOUT_DEADLINE
  :: atomic {
       at[me] == waiting && MAY_FAIL(me) ->
#ifdef M_WAITER_DELETES
       if
       :: rec.state == executing -> Write(absent, NOBODY, NOBODY)
       :: else
       fi;
#endif
       Rest(me)
     }
#endif

#ifdef RECONCILE
    /* The backend is asked: found, not found, or no use. */
  :: atomic {
       at[me] == looking ->
       if
       :: EFFECTS > 0 -> Settle(me, found); at[me] = recording
       :: EFFECTS == 0 -> AskBegin(me, looked[me])
       :: MAY_FAIL(me) -> Rest(me)
       fi
     }
#endif
  :: at[me] == done -> break
  od
}

/* --- What happens to its messages, its claim and its work ------------------------------------------ */

#define IS_FREE_FOR(r)                                                                                        \
  (rec.state == absent || (rec.state == executing && rec.token == r) || IS_REPLACED_BY(r) || M_IS_FREE)
#ifdef M_RECONCILE_WITHOUT_TOKEN
#define IS_REPLACED_BY(r) (replaces[r] != NOBODY && IS_UNKNOWN)
#else
#define IS_REPLACED_BY(r) (replaces[r] != NOBODY && rec.token == replaces[r] && IS_UNKNOWN)
#endif
#ifdef M_UNKNOWN_IS_FREE
#define M_IS_FREE IS_UNKNOWN
#else
#define M_IS_FREE false
#endif

inline Claim(r) {
  Write(executing, r, NOBODY);
  lease[r] = ALIVE;
  if
  :: at[r] == claiming -> at[r] = granted
  :: at[r] != claiming /* the exchange has gone: nobody executes */
  fi
}

#ifdef FORGETS
/* SettlementRetrier::LogHeld */
inline Tell(r) {
  if
  :: rec.token != r -> told = true
  :: else
  fi
}
#else
#define Tell(r) skip
#endif

proctype World(byte me) {
end:
  do
#ifdef LIVENESS
  :: rested <= N /* and it may do nothing, for ever */
#endif
    /* RecordStore::Begin, record_steps.cc */
  :: atomic {
       asked[me] ->
       asked[me] = false;
       if
#ifndef M_NO_MARK
       :: withdrawn[me]
       :: !withdrawn[me] && IS_FREE_FOR(me) ->
#else
       :: IS_FREE_FOR(me) ->
#endif
#ifdef M_CHECK_THEN_ACT
         checked[me] = true
#else
         Claim(me)
#endif
#ifndef M_NO_MARK
       :: !withdrawn[me] && !IS_FREE_FOR(me) ->
#else
       :: !IS_FREE_FOR(me) ->
#endif
         if
         :: at[me] == claiming -> OnHeld(me)
         :: at[me] != claiming
         fi
       fi
     }
#ifdef M_CHECK_THEN_ACT
  :: atomic { checked[me] -> checked[me] = false; Claim(me) }
#endif

    /* RecordStore::Complete of what r's own claim brought */
  :: atomic {
       settle[me] == complete ->
       settled[me] = true;
       if
#ifdef M_NO_REWRITE
       :: rec.state == absent
#else
       :: rec.state == absent -> Write(completed, me, RESPONSE_TO(me))
#endif
       :: rec.state != absent && rec.token == me && rec.state != completed ->
         Write(completed, me, RESPONSE_TO(me))
       :: rec.state != absent && (rec.token != me || rec.state == completed) ->
#ifdef M_NO_TOKEN_CHECK
         Write(completed, me, RESPONSE_TO(me))
#elif defined(M_COMPLETED_OVERWRITTEN)
         if
         :: rec.token == me -> Write(completed, me, RESPONSE_TO(me))
         :: else
         fi
#else
         Tell(me)
#endif
       fi;
       if
       :: at[me] == recording ->
         if
#ifdef M_NO_REWRITE
         :: rec.state == absent -> Answer(me, RESPONSE_TO(me))
#endif
         :: rec.state == completed -> Answer(me, rec.answer)
         :: IS_ALIVE /* waits, and asks to record again */
         :: IS_UNKNOWN -> AnswerUnknown(me)
         fi
       :: at[me] != recording
       fi
     }

#ifndef IDEMPOTENT
    /* RecordStore::MarkUnknown */
  :: atomic {
       settle[me] == mark ->
       settled[me] = true;
       if
       :: rec.state == absent || (rec.token == me && rec.state == executing) -> Write(unknown, me, NOBODY)
       :: rec.state != absent && !(rec.token == me && rec.state == executing) -> Tell(me)
       fi;
       if
       :: at[me] == recording -> Rest(me)
       :: at[me] != recording
       fi
     }
#endif

    /* RecordStore::Release, and Withdraw, which leaves its mark first */
  :: atomic {
       settle[me] == release || settle[me] == withdraw ->
       settled[me] = true;
       withdrawn[me] = withdrawn[me] || settle[me] == withdraw;
       if
       :: rec.token == me && (rec.state == executing || rec.state == unknown) -> Write(absent, NOBODY, NOBODY)
       :: rec.token != me || (rec.state != executing && rec.state != unknown)
       fi;
       if
       :: at[me] == recording -> Rest(me)
       :: at[me] != recording
       fi
     }

#ifdef RECONCILE
    /* RecordStore::Complete of what a look-up found, under the token that was looked up */
  :: atomic {
       settle[me] == found ->
       settled[me] = true;
       if
       :: rec.token == looked[me] && rec.state != completed && rec.state != absent ->
         Write(completed, looked[me], SHOWN_TO(me))
       :: rec.state == absent -> Write(completed, looked[me], SHOWN_TO(me))
       :: rec.state != absent && (rec.token != looked[me] || rec.state == completed)
       fi;
       if
       :: at[me] == recording -> OnHeld(me)
       :: at[me] != recording
       fi
     }
#endif

    /* The backend. It may begin and end long after the proxy gave up. */
  :: atomic {
       work[me] == working ->
       if
       :: work[me] = answered; Act(me)
       :: work[me] = refused
       :: MAY_FAIL(me) -> work[me] = not_acted
       :: MAY_FAIL(me) -> work[me] = silent
       :: MAY_FAIL(me) -> work[me] = silent; Act(me)
       fi
     }

    /* Time. The first guard only leaves out ends of leases that nobody would notice. */
  :: atomic {
       lease[me] == ALIVE && (at[me] == granted || (rec.token == me && (rec.state == executing || rec.state == unknown))) ->
       lease[me] = ENDED
     }
#ifdef RECONCILE
    /* `after` is long enough: the backend is done with a request by then. */
  :: atomic { lease[me] == ENDED && work[me] != working -> lease[me] = LONG_ENDED }
#endif
#ifdef M_SHORT_RETENTION
  :: atomic { rec.token == me && IS_ALIVE -> Write(absent, NOBODY, NOBODY) }
#endif
  od
}

/* --- Faults ---------------------------------------------------------------------------------------- */

/* What a dead process had not settled is never settled. What it sent is still on its way: a begin to the
   store, a request to the backend. */
inline Die(r) {
  if
  :: at[r] != idle && (at[r] != done || (settle[r] != none && !settled[r])) ->
    died[r] = true;
    if
    :: !settled[r] -> settle[r] = none
    :: else
    fi;
    if
    :: at[r] != done -> Rest(r)
    :: else
    fi
  :: else
  fi
}

proctype Faults() {
end:
  do
  :: atomic {
       !crashed[0] && !FAULTS_ARE_OVER ->
       crashed[0] = true;
       Die(0);
#if N > 2
       Die(2)
#endif
     }
  :: atomic { !crashed[1] && !FAULTS_ARE_OVER -> crashed[1] = true; Die(1) }
#ifdef UPGRADE
  :: !upgraded -> upgraded = true
#endif
#ifdef FORGETS
  :: atomic {
       may_forget && !FAULTS_ARE_OVER ->
       may_forget = false;
       rec.state = before.state;
       rec.token = before.token;
       rec.answer = before.answer;
       if
       :: last_was_claim -> lost_claims++
       :: else
       fi
     }
#endif
  od
}

init {
  atomic {
    rec.state = absent;
    rec.token = NOBODY;
    rec.answer = NOBODY;
#ifdef FORGETS
    Remember(false);
#endif
    run Exchange(0);
    run World(0);
    run Exchange(1);
    run World(1);
#if N > 2
    run Exchange(2);
    run World(2);
#endif
#ifndef LIVENESS
    run Exchange(LAST);
    run World(LAST);
#endif
    run Faults()
  }
#ifdef FORGETS
  /* A second effect is never silent, unless the process that made the first one died. */
  at[LAST] == done;
  assert(EFFECTS < 2 || told || crashed[0] || crashed[1])
#endif
}

#ifdef LIVENESS
/* Under weak fairness of the exchanges alone: nothing is asked of the store, of the backend or of time. */
ltl every_caller_is_answered { <> (rested == N) }
#endif
