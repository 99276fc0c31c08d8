-- What the members of taobao.kehu's rules are, said a second time by hand. e: the events (c: customer, ev, item, cat,
-- t: UTC, l: in Shanghai, d: its day, h: its hour, london: its day there), customers: all of them (c). this_day(), this_moment(): when it is
-- asked. A statement stands behind its name; of a segment it has c, of a tag c and v.

-- segment 买家
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed'
-- segment 只看不买
SELECT c FROM e GROUP BY c HAVING bool_or(ev = 'Product Viewed') AND NOT bool_or(ev = 'Order Completed')
-- segment 近三日活跃
SELECT c FROM e WHERE d >= this_day() - 2 GROUP BY c HAVING count(*) >= 30
-- segment 周浏览大户
SELECT c FROM e WHERE ev = 'Product Viewed' AND d >= this_day() - 6 GROUP BY c HAVING count(*) > 100
-- segment 月购三次
SELECT c FROM e WHERE ev = 'Order Completed' AND d > this_day() - INTERVAL 1 MONTH GROUP BY c HAVING count(*) >= 3
-- segment 季购五次
SELECT c FROM e WHERE ev = 'Order Completed' AND d > this_day() - INTERVAL 3 MONTH GROUP BY c HAVING count(*) BETWEEN 5 AND 8
-- segment 年内加购
SELECT c FROM e WHERE ev = 'Product Added' AND d > this_day() - INTERVAL 1 YEAR GROUP BY c HAVING count(*) >= 10
-- segment 近千日购买
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND d >= this_day() - 1099
-- segment 近三十小时
SELECT DISTINCT c FROM e WHERE ev = 'Product Viewed' AND t >= date_trunc('hour', this_moment()) - INTERVAL 29 HOUR
-- segment 近二十小时
SELECT c FROM e WHERE ev = 'Product Viewed' AND t >= date_trunc('minute', this_moment()) - INTERVAL 1199 MINUTE GROUP BY c HAVING count(*) >= 3
-- segment 近数百分钟
SELECT DISTINCT c FROM e WHERE ev = 'Product Viewed' AND t >= date_trunc('minute', this_moment()) - INTERVAL 1299 MINUTE
-- segment 近五分钟
SELECT DISTINCT c FROM e WHERE ev = 'Product Viewed' AND t >= date_trunc('second', this_moment()) - INTERVAL 299 SECOND
-- segment 今天来过
SELECT DISTINCT c FROM e WHERE d = this_day()
-- segment 昨天买过
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND d = this_day() - 1
-- segment 本周买过
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND date_trunc('week', d) = date_trunc('week', this_day())
-- segment 上周买过
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND date_trunc('week', d) = date_trunc('week', this_day() - 7)
-- segment 本月加购
SELECT c FROM e WHERE ev = 'Product Added' AND date_trunc('month', d) = date_trunc('month', this_day()) GROUP BY c HAVING count(*) >= 5
-- segment 上月收藏
SELECT c FROM e WHERE ev = 'Product Added to Wishlist' AND date_trunc('month', d) = date_trunc('month', this_day()) - INTERVAL 1 MONTH GROUP BY c HAVING count(*) >= 2
-- segment 本季买过
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND date_trunc('quarter', d) = date_trunc('quarter', this_day())
-- segment 今年买过
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c HAVING bool_or(year(d) = year(this_day())) AND NOT bool_or(year(d) = year(this_day()) - 1)
-- segment 自周五起买
SELECT c FROM e WHERE ev = 'Order Completed' AND d >= DATE '2017-12-01' GROUP BY c HAVING count(*) >= 2
-- segment 周末加购
SELECT DISTINCT c FROM e WHERE ev = 'Product Added' AND d IN (DATE '2017-11-25', DATE '2017-11-26', DATE '2017-12-02', DATE '2017-12-03')
-- segment 夜猫子
SELECT c FROM e WHERE ev = 'Product Viewed' AND h <= 4 AND d >= this_day() - 29 GROUP BY c HAVING count(*) >= 20
-- segment 周末买家
SELECT DISTINCT c FROM e WHERE ev = 'Order Completed' AND isodow(d) >= 6
-- segment 夜宵偏好
SELECT c FROM e WHERE ev = 'Product Viewed' GROUP BY c HAVING ratio(10000 * count(*) FILTER (h >= 22 OR h < 2), count(*)) > 1250
-- segment 应用加购
SELECT c FROM e WHERE ev = 'Product Added' GROUP BY c HAVING count(*) >= 8
-- segment 看过热门类目
SELECT DISTINCT c FROM e WHERE ev = 'Product Viewed' AND cat IN ('4756105', '3607361', '4145813')
-- segment 类目四七
SELECT c FROM e WHERE ev = 'Product Viewed' AND cat LIKE '47%' AND item NOT LIKE '%5' GROUP BY c HAVING count(*) >= 5
-- segment 匹配类目
SELECT c FROM e WHERE ev = 'Product Viewed' AND (length(cat) = 7 AND cat LIKE '1%' OR item LIKE '%999%') GROUP BY c HAVING count(*) >= 12
-- segment 数字类目
SELECT c FROM e WHERE ev = 'Product Viewed' AND cat::BIGINT < 100000 GROUP BY c HAVING count(*) >= 3
-- segment 任意喜欢
SELECT c FROM e GROUP BY c HAVING count(*) FILTER (ev = 'Product Added') >= 3 OR count(*) FILTER (ev = 'Product Added to Wishlist') >= 3
-- segment 类目广泛
SELECT c FROM e WHERE ev = 'Product Viewed' GROUP BY c HAVING count(DISTINCT cat) >= 50
-- segment 近日类目广泛
SELECT c FROM e WHERE ev = 'Product Viewed' AND d >= this_day() - 3 GROUP BY c HAVING count(DISTINCT cat) >= 25
-- segment 活跃七天
SELECT c FROM e GROUP BY c HAVING count(DISTINCT d) >= 7
-- segment 每周三天买
SELECT c FROM e WHERE ev = 'Order Completed' AND d >= this_day() - 13 GROUP BY c HAVING count(DISTINCT d) >= 3
-- segment 频繁购买
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c
HAVING count(*) >= 2 AND ratio(epoch_ms(max(t)) - epoch_ms(min(t)), 8640 * (count(*) - 1)) <= 15000
-- segment 三日未购
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c HAVING this_day() - max(d) >= 3
-- segment 二次购买早
SELECT c FROM (SELECT c, t, row_number() OVER (PARTITION BY c ORDER BY t) AS n, first_value(l) OVER (PARTITION BY c ORDER BY t) AS f, l FROM e WHERE ev = 'Order Completed')
WHERE n = 2 AND l < f + INTERVAL 1 DAY
-- segment 首购在内
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c HAVING min(d) >= this_day() - 3
-- segment 末次加购晚
SELECT c FROM e WHERE ev = 'Product Added' GROUP BY c HAVING max(l) > min(l) + INTERVAL 5 DAY
-- tag 浏览数
SELECT c, (SELECT count(*) FROM e WHERE e.c = customers.c AND ev = 'Product Viewed') FROM customers
-- tag 偏好类目
SELECT c, cat FROM (SELECT c, cat, count(*) AS n FROM e WHERE ev = 'Product Viewed' GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY c ORDER BY n DESC, cat) = 1
-- tag 近三日偏好
SELECT c, cat FROM (SELECT c, cat, count(*) AS n FROM e WHERE ev = 'Product Viewed' AND d >= this_day() - 2 GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY c ORDER BY n DESC, cat) = 1
-- tag 首购商品
SELECT c, item FROM e WHERE ev = 'Order Completed' QUALIFY row_number() OVER (PARTITION BY c ORDER BY t, item DESC) = 1
-- tag 末购商品
SELECT c, item FROM e WHERE ev = 'Order Completed' AND d >= this_day() - 4 QUALIFY row_number() OVER (PARTITION BY c ORDER BY t DESC, item DESC) = 1
-- tag 首购时间
SELECT c, instant(min(l)) FROM e WHERE ev = 'Order Completed' GROUP BY c
-- tag 第三次加购
SELECT c, instant(l) FROM e WHERE ev = 'Product Added' QUALIFY row_number() OVER (PARTITION BY c ORDER BY t) = 3
-- tag 最小类目
SELECT c, min(cat::BIGINT) FROM e WHERE ev = 'Order Completed' GROUP BY c
-- tag 最大类目
SELECT c, max(cat::BIGINT) FROM e WHERE ev = 'Order Completed' GROUP BY c
-- tag 购买间隔
SELECT c, ratio(epoch_ms(max(t)) - epoch_ms(min(t)), 8640 * (count(*) - 1)) / 10000.0 FROM e WHERE ev = 'Order Completed' GROUP BY c HAVING count(*) > 1
-- tag 夜间占比
SELECT c, ratio(10000 * count(*) FILTER (h < 6), count(*)) / 10000.0 FROM e WHERE ev = 'Product Viewed' GROUP BY c
-- tag 转化
SELECT c, count(*) FILTER (ev = 'Order Completed') - count(*) FILTER (ev = 'Product Added') + count(*) FILTER (ev = 'Product Added to Wishlist') FROM e GROUP BY c
-- tag 距今
SELECT c, this_day() - max(d) FROM e GROUP BY c
-- tag 买过热门
SELECT c, bool_or(ev = 'Order Completed' AND cat = '982926') FROM e GROUP BY c
-- segment 加购后六时购买
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.ev = 'Product Added' AND b.ev = 'Order Completed' AND b.t BETWEEN a.t AND a.t + INTERVAL 6 HOUR
-- segment 同款两日内购买
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.item = b.item AND a.ev = 'Product Added' AND b.ev = 'Order Completed' AND b.t BETWEEN a.t AND a.t + INTERVAL 48 HOUR
-- segment 近三日同类购买
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.cat = b.cat AND a.ev = 'Product Added' AND b.ev = 'Order Completed' AND b.t BETWEEN a.t AND a.t + INTERVAL 600 MINUTE
WHERE b.d >= this_day() - 2
-- segment 加购未支付
SELECT DISTINCT c FROM e a WHERE ev = 'Product Added' AND t + INTERVAL 72 HOUR < this_moment()
AND NOT EXISTS (FROM e b WHERE b.c = a.c AND b.ev = 'Order Completed' AND b.t >= a.t)
-- segment 晚加购未早加购
SELECT DISTINCT a.c FROM e a JOIN e b ON a.c = b.c AND a.ev = 'Product Added' AND a.h >= 18 AND b.ev = 'Order Completed' AND b.t >= a.t
WHERE NOT EXISTS (FROM e n WHERE n.c = a.c AND n.ev = 'Product Added' AND n.h < 12 AND n.t BETWEEN a.t AND b.t)
-- segment 连买三次
SELECT DISTINCT c FROM (SELECT c, t, lag(t, 2) OVER (PARTITION BY c ORDER BY t) AS third FROM e WHERE ev = 'Order Completed') WHERE t <= third + INTERVAL 1 HOUR
-- tag 阶段
SELECT c, CASE WHEN max(t) FILTER (ev = 'Order Completed') >= min(t) FILTER (ev = 'Product Added') THEN 'Order Completed' ELSE 'Product Added' END
FROM e GROUP BY c HAVING bool_or(ev = 'Product Added')
-- tag 近日阶段
WITH first AS (SELECT c, min(t) AS t FROM e WHERE ev = 'Product Added' AND h < 12 AND d >= this_day() - 4 GROUP BY c),
     second AS (SELECT c, min(e.t) AS t FROM e JOIN first USING (c) WHERE ev = 'Product Added' AND h >= 12 AND d >= this_day() - 4 AND e.t >= first.t GROUP BY c),
     third AS (SELECT c, min(e.t) AS t FROM e JOIN second USING (c) WHERE ev = 'Order Completed' AND d >= this_day() - 4 AND e.t >= second.t GROUP BY c)
SELECT first.c, CASE WHEN third.t IS NOT NULL THEN 'Order Completed' ELSE 'Product Added' END FROM first LEFT JOIN third USING (c)
-- segment 沉默买家
SELECT c FROM e GROUP BY c HAVING bool_or(ev = 'Order Completed') AND count(*) FILTER (d >= this_day() - 2) < 30
-- segment 浏览多
SELECT c FROM e GROUP BY c HAVING count(*) FILTER (ev = 'Product Viewed') > 200 AND NOT bool_or(ev = 'Order Completed')
-- segment 阶段到购买
SELECT c FROM e GROUP BY c HAVING max(t) FILTER (ev = 'Order Completed') >= min(t) FILTER (ev = 'Product Added')
AND max(d) FILTER (ev = 'Order Completed') < this_day() - 4
-- tag 等级
SELECT c, CASE WHEN n >= 5 THEN '高' WHEN n >= 2 THEN '中' WHEN n = 1 THEN '低' ELSE '无' END FROM (SELECT c, count(*) FILTER (ev = 'Order Completed') AS n FROM e GROUP BY c)
-- tag 分级
SELECT c, CASE WHEN count(*) > 3 THEN '多' ELSE '少' END FROM e WHERE ev = 'Order Completed' GROUP BY c
-- segment 伦敦日
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c HAVING count(DISTINCT london) >= 3
-- tag 首购时段
SELECT customers.c, CASE WHEN l < TIMESTAMP '2017-11-27' THEN '早' WHEN l > TIMESTAMP '2017-12-01' THEN '晚' WHEN l IS NOT NULL THEN '中' ELSE '未购' END
FROM customers LEFT JOIN (SELECT c, min(l) AS l FROM e WHERE ev = 'Order Completed' GROUP BY c) AS firsts ON customers.c = firsts.c
-- tag 保留
SELECT c, item FROM (SELECT c, item, count(*) AS n FROM e WHERE ev = 'Order Completed' AND item LIKE '%77%' GROUP BY ALL)
QUALIFY row_number() OVER (PARTITION BY c ORDER BY n DESC, item) = 1
-- segment 七万秒内
SELECT DISTINCT c FROM e WHERE ev = 'Product Viewed' AND t >= date_trunc('minute', this_moment()) - INTERVAL 1199 MINUTE
-- segment 间隔短
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c
HAVING count(*) >= 2 AND ratio(epoch_ms(max(t)) - epoch_ms(min(t)), 8640 * (count(*) - 1)) < 10000
-- segment 第二次加购早
SELECT c FROM (SELECT c, t FROM e WHERE ev = 'Product Added' QUALIFY row_number() OVER (PARTITION BY c ORDER BY t) = 2) WHERE t < this_moment() - INTERVAL 6 DAY
-- segment 未知末购
SELECT c FROM e WHERE ev = 'Order Completed' GROUP BY c
HAVING max(d) < this_day() - 4 AND bool_or(date_trunc('quarter', d) = date_trunc('quarter', this_day())) OR bool_or(cat = '982926')
-- segment 没买过热门
SELECT c FROM e GROUP BY c HAVING NOT bool_or(ev = 'Order Completed' AND cat = '982926')
-- segment 两季
SELECT c FROM e WHERE ev = 'Product Added' GROUP BY c HAVING count(*) FILTER (d > this_day() - INTERVAL 6 MONTH) > 5
AND count(*) FILTER (date_trunc('quarter', d) = date_trunc('quarter', this_day()) - INTERVAL 3 MONTH) = 0
