-- Counts a batch of asks, in order, by the generic cell rate algorithm: one number a key.
--
-- KEYS: each key once. ARGV: two lists of whole numbers, packed as MessagePack (a batch is thousands of them).
--   1. for each pace the microseconds from one act to the next, how many may come at once, and how many microseconds
--      ahead its number can be;
--   2. for each ask the number of its limits, then for each limit the place of its key and the place of its pace.
-- Returns such a list: for each ask the place of the limit that refuses (0: admitted, and counted in all its limits;
-- else the one that takes longest, and nothing is counted) and the microseconds until it would not.
-- The time is this server's. A number that lies further ahead than acts can set it was left by a clock that has been set
-- back since. It is cut to the most there can be, and kept so for a refused ask too: else nobody would come in again until
-- the clock is where it was.

local paces = cmsgpack.unpack(ARGV[1])
local asks = cmsgpack.unpack(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = {}
local lives = {}
local answers = {}

-- In parts, since Lua unpacks no more than some thousands at once.
for first = 1, #KEYS, 2000 do
  local last = math.min(first + 1999, #KEYS)
  for offset, found in ipairs(redis.call('MGET', unpack(KEYS, first, last))) do
    due[first + offset - 1] = math.max(found and tonumber(found) or now, now)
  end
end

local at = 1
while at <= #asks do
  local last = at + asks[at] * 2
  local refused, wait = 0, 0
  for cell = at + 1, last, 2 do
    local place, pace = asks[cell], asks[cell + 1] * 3
    local interval, burst, ahead_most = paces[pace - 2], paces[pace - 1], paces[pace]
    if due[place] - now > ahead_most then
      due[place] = now + ahead_most
      lives[place] = true
    end
    local early = due[place] - now - interval * (burst - 1)
    if early > wait then
      refused, wait = (cell - at + 1) / 2, early
    end
  end
  if refused == 0 then
    for cell = at + 1, last, 2 do
      local place = asks[cell]
      due[place] = due[place] + paces[asks[cell + 1] * 3 - 2]
      lives[place] = true
    end
  end
  answers[#answers + 1] = refused
  answers[#answers + 1] = wait
  at = last + 1
end

-- Whole numbers are written as such, and faster than text made of them here.
for place in pairs(lives) do
  redis.call('SET', KEYS[place], due[place], 'PX', math.ceil((due[place] - now) / 1000))
end
return cmsgpack.pack(answers)
