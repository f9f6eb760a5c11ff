-- Takes one permit from a sliding window made of two fixed ones.
-- The arithmetic is `Window::take` in src/rate.rs; the shared suite holds the two together.
--
-- KEYS[1] the bucket: a hash of per_ms, index (of the newest window), newest, before
-- ARGV    permits, per_ms, now_ms of the caller, tolerance_ms
-- returns {1 if given, permits left, reset_at_ms}

local permits = tonumber(ARGV[1])
local per = tonumber(ARGV[2])
local now = tonumber(ARGV[3])
local tolerance = tonumber(ARGV[4])

-- This server's clock is the common one. A caller's clock is believed within the tolerance, so
-- that one node with a wrong clock can neither reopen a limit nor use up everybody's future.
local time = redis.call('TIME')
local server_now = time[1] * 1000 + math.floor(time[2] / 1000)
now = math.max(server_now - tolerance, math.min(server_now + tolerance, now))

local index = math.floor(now / per)
local newest, before = 0, 0
local kept = redis.call('HMGET', KEYS[1], 'per_ms', 'index', 'newest', 'before')
local kept_index = index
if kept[1] and tonumber(kept[1]) == per then
  kept_index, newest, before = tonumber(kept[2]), tonumber(kept[3]), tonumber(kept[4])
end

if index == kept_index + 1 then
  kept_index, before, newest = index, newest, 0
elseif index > kept_index then
  kept_index, before, newest = index, 0, 0
end

local allowed, remaining, reset_at = 0, 0, 0
local window_start = kept_index * per
if index + 1 == kept_index then
  -- A clock that lags by less than a window still counts into its own window.
  reset_at = window_start
  if before < permits then
    before = before + 1
    allowed, remaining = 1, permits - before
  end
else
  local elapsed = math.max(0, now - window_start)
  local used = newest + math.floor(before * (per - elapsed) / per)
  if used < permits then
    newest = newest + 1
    allowed, remaining, reset_at = 1, permits - used - 1, window_start + per
  elseif permits == 0 then
    reset_at = window_start + per
  else
    local start, full, weighing = window_start, newest, before
    if newest >= permits then
      start, full, weighing = window_start + per, 0, newest
    end
    local left = math.floor(math.max(0, (permits - full) * per - 1) / math.max(1, weighing))
    reset_at = start + math.max(0, per - left)
  end
end

redis.call('HSET', KEYS[1], 'per_ms', per, 'index', kept_index, 'newest', newest, 'before', before)
-- Two windows after its last use a bucket says nothing any more, whoever's clock is asked.
redis.call('PEXPIRE', KEYS[1], 2 * per + 2 * tolerance)
return { allowed, remaining, reset_at }
