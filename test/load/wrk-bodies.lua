-- wrk with a look into every answer: how often each came, with its status, and what was no answer. Read by wrk.ts.

answers = {}
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function response(status, headers, body)
  local answer = status .. ' ' .. body:sub(1, 200)
  answers[answer] = (answers[answer] or 0) + 1
end

function done(summary)
  local errors = summary.errors
  print(string.format('errors\t%d\t%d\t%d\t%d', errors.connect, errors.read, errors.write, errors.timeout))
  for _, thread in ipairs(threads) do
    for answer, count in pairs(thread:get('answers')) do
      print(string.format('answer\t%d\t%s', count, (answer:gsub('%c', ' '))))
    end
  end
end
