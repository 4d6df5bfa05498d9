package store

// takeScript is rate.go's window for all gateways that share a Redis, on the
// clock of Redis. A grain is the field of its number; "h" is the number of the
// oldest, "n" of the newest, "c" how many events there are. Times are
// microseconds. What is no such window is begun anew.
//
// KEYS[1] window; ARGV limit, window in µs, grain in µs. Returns 0, or the µs
// to wait.
const takeScript = `
local key, limit, per, span = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local meta = redis.pcall('HMGET', key, 'h', 'n', 'c')
if meta.err then
  redis.call('DEL', key)
  meta = {false, false, false}
end
local head, newest, count = tonumber(meta[1]) or 1, tonumber(meta[2]) or 0, tonumber(meta[3]) or 0

local function grain(i)
  local first, last, n = string.match(redis.call('HGET', key, i) or '0 0 0', '(%d+) (%d+) (%d+)')
  return tonumber(first), tonumber(last), tonumber(n)
end

local oldest = head
while head <= newest do
  local _, last, n = grain(head)
  if last + per > now then break end
  redis.call('HDEL', key, head)
  count, head = count - n, head + 1
end

if count >= limit then
  local left, wait = count, per
  for i = head, newest do
    local _, last, n = grain(i)
    left = left - n
    if left < limit then
      wait = last + per - now
      break
    end
  end
  if head > oldest then redis.call('HSET', key, 'h', head, 'n', newest, 'c', count) end
  return wait
end

local first, n = now, 1
if head <= newest then
  local f, last, m = grain(newest)
  now = math.max(now, last)
  if now - f < span then first, n = f, m + 1 else newest, first = newest + 1, now end
else
  newest = newest + 1
end
redis.call('HSET', key, 'h', head, 'n', newest, 'c', count + 1, newest,
  string.format('%.0f %.0f %.0f', first, now, n))
redis.call('PEXPIRE', key, math.ceil(per / 1000) + 1)
return 0
`

// spendScript counts a quota as the original does: an integer, whose life is
// that of the quota's period and begins with its first use [Z-4, S-36].
//
// KEYS[1] counter; ARGV most, period in ms. Returns what is used, one more than
// most when nothing was left, and the ms until it renews, or less than 0.
const spendScript = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[1]) then
  return {used + 1, redis.call('PTTL', KEYS[1])}
end
used = redis.call('INCR', KEYS[1])
local ttl, period = redis.call('PTTL', KEYS[1]), tonumber(ARGV[2])
if ttl < 0 and period > 0 then
  redis.call('PEXPIRE', KEYS[1], period)
  ttl = period
end
return {used, ttl}
`

// swapScript puts one text in the place of another, if that is what is there.
//
// KEYS[1] record; ARGV "1" or "" for whether there is an old one, the old one,
// the same for the new one, the new one, its life in ms or 0. Returns whether it
// did.
const swapScript = `
local stored = redis.call('GET', KEYS[1])
if ARGV[1] == '' then
  if stored then return 0 end
elseif stored ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[5] == '0' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
return 1
`

// editScript puts one text in the place of another, if that is what is there, for
// the rest of its life.
//
// KEYS[1] session; ARGV the old text, the new one. Returns whether it did.
const editScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local life = redis.call('PTTL', KEYS[1])
if life < 0 then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', math.max(life, 1))
end
return 1
`
